"""From the text of counterseal.toml to Settings; every fault of the file is reported, not the first."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from counterseal.authority.parts import Rules
from counterseal.authority.reminders.settings import ReminderSettings
from counterseal.config.api import api_rules_of
from counterseal.config.convert import profile_of
from counterseal.config.convert_site import kind_of, site_of
from counterseal.config.emptied import without_empty
from counterseal.config.lines import line_of, lines_of
from counterseal.config.meant import hint_for_key, may_be_of_nginx, meant_key
from counterseal.config.raw import (
    SECTIONS,
    RawAcme,
    RawApi,
    RawCA,
    RawEST,
    RawNginx,
    RawOCSPFace,
    RawProfile,
    RawReminders,
    RawServe,
    RawStore,
)
from counterseal.config.reminders import reminder_settings_of
from counterseal.config.service import acme_rules_of, est_rules_of, ocsp_rules_of, serve_settings_of
from counterseal.config.settings import NginxSettings, Sections, Settings, StoreSettings
from counterseal.config.shape import read_table
from counterseal.config.syntax import not_toml
from counterseal.duration import parse_duration
from counterseal.errors import ConfigError, CountersealError
from counterseal.files import read_file
from counterseal.findings import Finding, Severity
from counterseal.nginx.together import conflicts
from counterseal.pki.profile import BUILT_IN
from counterseal.pki.shown import counted
from counterseal.service.settings import ServeSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import timedelta
    from pathlib import Path

    from counterseal.authority.served import ServedSite
    from counterseal.pki.profile import Profile

StructT = TypeVar("StructT", bound=msgspec.Struct)
ValueT = TypeVar("ValueT")


def load_settings(path: Path) -> Settings:
    """Return the settings of the file at ``path``, the defaults when it does not exist; raises FileError.

    What is wrong with the file is raised when a section is asked for that it is in: ConfigError ``config.syntax``, or
    ``config.invalid`` with every fault of every section as a finding.
    """
    if not path.exists():
        return Settings()
    return parse_settings(read_file(path), path)


def parse_settings(content: bytes, path: Path, *, of_before: bool = False) -> Settings:
    """Return what ``load_settings`` does, of ``content`` that is at ``path`` or is to be.

    ``of_before``: nginx has it already. An empty list that no longer may stand there is read as it was when it might.
    """
    try:
        text = content.decode()
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return not_toml(path, content, error)
    loader = _Loader(path)
    said = loader.sections(without_empty(document) if of_before else document)
    if not loader.faults:
        return Settings(path, said, content=content)
    lines = lines_of(text)
    faults = [one._replace(line=line_of(one.where or "", lines)) for one in loader.faults]
    faults.sort(key=lambda one: one.line or 0)
    wrong = ConfigError("config.invalid", f"{path} has {counted(len(faults), 'fault')}", findings=faults)
    faulty, doubted = frozenset(loader.faulty), frozenset(loader.doubted)
    return Settings(path, said, wrong, faulty | doubted, doubted - faulty, content)


class _Loader:
    """One reading of one file; gathers faults and goes on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.faults: list[Finding] = []
        self.faulty: set[str] = set()
        self.doubted: set[str] = set()
        self._misshapen: set[str] = set()

    def sections(self, document: dict[str, Any]) -> Sections:
        self._check_names(document)
        profiles = self._profiles(document)
        serve = self._section(document, "serve", RawServe, self._serve, ServeSettings())
        ocsp = self._section(document, "ocsp", RawOCSPFace, ocsp_rules_of, None)
        rules = self._rules(document)._replace(profiles=profiles, published_at=serve.http_url)
        return Sections(
            rules=rules._replace(names_ocsp=ocsp is None or ocsp.enabled),
            nginx=self._section(document, "nginx", RawNginx, self._nginx, NginxSettings()),
            sites=tuple(self._refuse_conflicts(list(self._sites(document)))),
            store=self._store(document),
            serve=serve,
            acme=self._section(document, "acme", RawAcme, lambda raw: acme_rules_of(raw, profiles), None),
            ocsp=ocsp,
            api=self._section(document, "api", RawApi, lambda raw: api_rules_of(raw, profiles), None),
            reminders=self._section(document, "reminders", RawReminders, self._reminders, ReminderSettings()),
            est=self._section(document, "est", RawEST, est_rules_of, None),
        )

    def _sites(self, document: dict[str, Any]) -> Iterator[ServedSite]:
        for name, raw in self._named(document, "sites", kind_of):
            site = self._try(f"sites.{name}", lambda n=name, r=raw: site_of(n, r, self._path), None)  # type: ignore[misc] # bound now
            if site is not None and not self._has_fault(f"sites.{name}"):
                yield site

    def _refuse_conflicts(self, served: Sequence[ServedSite]) -> Sequence[ServedSite]:
        """Return those sites that nothing is wrong with together either."""
        for one in conflicts([one.site for one in served]):
            self._note(f"sites.{one.where}", one.message, one.hint)
        return [one for one in served if not self._has_fault(f"sites.{one.site.name}")]

    def _section(
        self,
        document: dict[str, Any],
        name: str,
        kind: type[StructT],
        make: Callable[[StructT], ValueT],
        otherwise: ValueT,
    ) -> ValueT:
        raw = read_table(document.get(name, {}), kind, name, self._note_shape)
        return otherwise if raw is None else self._try(name, lambda: make(raw), otherwise)

    def _store(self, document: dict[str, Any]) -> StoreSettings | None:
        raw = read_table(document["store"], RawStore, "store", self._note_shape) if "store" in document else None
        return (
            None if raw is None or self._has_fault("store") else StoreSettings(raw.url, self._path(raw.password_file))
        )

    def _serve(self, raw: RawServe) -> ServeSettings:
        return serve_settings_of(raw, self._path)

    def _nginx(self, raw: RawNginx) -> NginxSettings:
        text = raw.worker_shutdown_timeout
        return NginxSettings(
            binary=self._path(raw.binary),
            config=self._path(raw.config),
            include_file=self._path(raw.include_file),
            user=raw.user,
            unit=raw.unit,
            worker_shutdown_timeout=self._length("nginx.worker_shutdown_timeout", text)
            or NginxSettings().worker_shutdown_timeout,
        )

    def _reminders(self, raw: RawReminders) -> ReminderSettings:
        return reminder_settings_of(raw, self._path)

    def _rules(self, document: dict[str, Any]) -> Rules:
        raw = read_table(document.get("ca", {}), RawCA, "ca", self._note_shape) or RawCA()
        lifetime = self._length("ca.crl_lifetime", raw.crl_lifetime) or Rules().crl_lifetime
        refresh = self._length("ca.crl_refresh", raw.crl_refresh) or Rules().crl_refresh
        of_root = None if raw.root_crl_lifetime is None else self._length("ca.root_crl_lifetime", raw.root_crl_lifetime)
        if refresh * 2 > lifetime:
            told = f"more than half of crl_lifetime ({raw.crl_lifetime}): {raw.crl_refresh}"
            self._note("ca.crl_refresh", told, "make it at most half, or a late refresh is an outage")
        return Rules(crl_lifetime=lifetime, crl_refresh=refresh, root_crl_lifetime=of_root)

    def _profiles(self, document: dict[str, Any]) -> dict[str, Profile]:
        profiles = dict(BUILT_IN)
        for name, raw in self._named(document, "profiles", lambda _: RawProfile):
            make = self._try(f"profiles.{name}", lambda n=name, r=raw: profile_of(n, r), BUILT_IN["client"])  # type: ignore[misc] # bound now
            profiles[name] = make
        return profiles

    def _named(
        self, document: dict[str, Any], table: str, kind: Callable[[object], type[StructT]]
    ) -> Iterator[tuple[str, StructT]]:
        named = document.get(table, {})
        if not isinstance(named, dict):
            self._note(table, "must be a table of tables", f"write [{table}.NAME] for each")
            return
        for name, content in named.items():
            raw = read_table(content, kind(content), f"{table}.{name}", self._note_shape)
            if raw is not None:
                yield name, raw

    def _check_names(self, document: dict[str, Any]) -> None:
        """Note sections that there are not; where nobody can tell which was meant, it may be any but two.

        They are where the store is and how long lists live: what a revocation is recorded and published by.
        """
        for name, content in document.items():
            if name in SECTIONS:
                continue
            meant = meant_key(name, SECTIONS)
            self._note(name, f"unknown key: {name!r}", hint_for_key(name, SECTIONS))
            if meant:
                self.faulty.add(meant)
                continue
            self.doubted |= set(SECTIONS) - {"store", "ca"}
            if may_be_of_nginx(name, content):
                self.faulty |= {"sites", "nginx"}

    def _length(self, where: str, text: str) -> timedelta | None:
        return self._try(where, lambda: parse_duration(text), None)

    def _try(self, where: str, make: Callable[[], ValueT], otherwise: ValueT) -> ValueT:
        try:
            return make()
        except ConfigError as error:
            for finding in error.findings:
                place = ".".join(part for part in (where, finding.where) if part)
                self._note(place, finding.message, finding.hint, finding.code)
        except CountersealError as error:
            self._note(where, error.message, error.hint, error.code)
        return otherwise

    def _has_fault(self, table: str) -> bool:
        return any(f"{fault.where}.".startswith(f"{table}.") for fault in self.faults)

    def _path(self, text: str | None) -> Path | None:
        return None if text is None else self.path.parent / text

    def _note_shape(self, where: str, message: str, hint: str | None) -> None:
        self._note(where, message, hint)
        self._misshapen.add(where)

    def _note(self, where: str, message: str, hint: str | None, code: str = "config.invalid") -> None:
        """Note a fault; nothing more about a value that has been found to be of another type."""
        if where in self._misshapen:
            return
        self.faulty.add(where.partition(".")[0])
        self.faults.append(Finding(code, Severity.CRITICAL, message, where=where, hint=hint))
