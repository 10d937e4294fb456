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
from counterseal.config.raw import (
    NAMED_TABLES,
    NESTED,
    TABLES,
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
from counterseal.config.settings import NginxSettings, Settings, StoreSettings
from counterseal.duration import parse_duration
from counterseal.errors import ConfigError, CountersealError, hint_for
from counterseal.files import read_file
from counterseal.findings import Finding, Severity
from counterseal.pki.profile import BUILT_IN
from counterseal.pki.shown import counted
from counterseal.service.settings import ServeSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

StructT = TypeVar("StructT", bound=msgspec.Struct)
ValueT = TypeVar("ValueT")


def load_settings(path: Path) -> Settings:
    """Return the settings of the file at ``path``, the defaults when it does not exist.

    Raises ConfigError ``config.syntax`` or ``config.invalid`` with every fault as a finding; FileError.
    """
    if not path.exists():
        return Settings()
    settings, faults = read_settings(path)
    refuse_faults(path, faults)
    return settings


def refuse_faults(path: Path, faults: Sequence[Finding]) -> None:
    """Raise ConfigError ``config.invalid`` with the faults of the file at ``path``, if it has any."""
    if faults:
        raise ConfigError("config.invalid", f"{path} has {counted(len(faults), 'fault')}", findings=faults)


def read_settings(path: Path) -> tuple[Settings, Sequence[Finding]]:
    """Return what the file at ``path`` says where it is right, the defaults elsewhere, and every fault.

    Raises ConfigError ``config.syntax`` where nothing can be read; FileError.
    """
    return parse_settings(read_file(path), path)


def parse_settings(content: bytes, path: Path) -> tuple[Settings, Sequence[Finding]]:
    """Return what ``read_settings`` does, of ``content`` that is at ``path`` or is to be."""
    try:
        document = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("config.syntax", f"not a TOML file: {path}: {error}") from error
    loader = _Loader(path)
    settings = loader.settings(document)
    return settings, loader.faults


class _Loader:
    """One reading of one file; gathers faults and goes on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.faults: list[Finding] = []

    def settings(self, document: dict[str, Any]) -> Settings:
        self._check_keys(document)
        nginx = self._table(document.get("nginx", {}), RawNginx, "nginx") or RawNginx()
        serve = self._table(document.get("serve", {}), RawServe, "serve") or RawServe()
        acme = self._table(document.get("acme", {}), RawAcme, "acme") or RawAcme()
        ocsp = self._table(document.get("ocsp", {}), RawOCSPFace, "ocsp") or RawOCSPFace()
        api = self._table(document.get("api", {}), RawApi, "api") or RawApi()
        reminders = self._table(document.get("reminders", {}), RawReminders, "reminders") or RawReminders()
        est = self._table(document.get("est", {}), RawEST, "est") or RawEST()
        rules = self._rules(document)
        served = self._try("serve", lambda: serve_settings_of(serve, self._path)) or ServeSettings()
        return Settings(
            source=self.path,
            rules=rules._replace(published_at=served.http_url),
            nginx=NginxSettings(
                binary=self._path(nginx.binary),
                config=self._path(nginx.config),
                include_file=self._path(nginx.include_file),
                user=nginx.user,
                unit=nginx.unit,
                worker_shutdown_timeout=self._try(
                    "nginx.worker_shutdown_timeout", lambda: parse_duration(nginx.worker_shutdown_timeout)
                )
                or NginxSettings().worker_shutdown_timeout,
            ),
            sites=tuple(
                site
                for name, raw in self._named(document, "sites", kind_of)
                if (site := self._try(f"sites.{name}", lambda n=name, r=raw: site_of(n, r, self._path)))  # type: ignore[misc] # bound now
            ),
            store=self._store(document),
            serve=served,
            acme=self._try("acme", lambda: acme_rules_of(acme, rules.profiles)),
            ocsp=self._try("ocsp", lambda: ocsp_rules_of(ocsp)),
            api=self._try("api", lambda: api_rules_of(api, rules.profiles)),
            reminders=self._try("reminders", lambda: reminder_settings_of(reminders, self._path)) or ReminderSettings(),
            est=self._try("est", lambda: est_rules_of(est)),
        )

    def _store(self, document: dict[str, Any]) -> StoreSettings | None:
        raw = self._table(document["store"], RawStore, "store") if "store" in document else None
        return StoreSettings(raw.url, self._path(raw.password_file)) if raw else None

    def _rules(self, document: dict[str, Any]) -> Rules:
        ca = self._table(document.get("ca", {}), RawCA, "ca") or RawCA()
        rules = Rules()
        lifetime = self._try("ca.crl_lifetime", lambda: parse_duration(ca.crl_lifetime)) or rules.crl_lifetime
        refresh = self._try("ca.crl_refresh", lambda: parse_duration(ca.crl_refresh)) or rules.crl_refresh
        of_root = ca.root_crl_lifetime
        root = None if of_root is None else self._try("ca.root_crl_lifetime", lambda: parse_duration(of_root))
        if refresh * 2 > lifetime:
            self._fault("ca.crl_refresh", "must be at most half of crl_lifetime, or a late refresh is an outage", None)
        profiles = dict(BUILT_IN)
        for name, raw in self._named(document, "profiles", lambda _: RawProfile):
            profile = self._try(f"profiles.{name}", lambda n=name, r=raw: profile_of(n, r))  # type: ignore[misc] # bound now
            if profile:
                profiles[name] = profile
        return Rules(profiles, lifetime, refresh, root)

    def _named(
        self, document: dict[str, Any], table: str, kind: Callable[[object], type[StructT]]
    ) -> Iterator[tuple[str, StructT]]:
        named = document.get(table, {})
        if not isinstance(named, dict):
            self._fault(table, "must be a table", None)
            return
        for name, content in named.items():
            raw = self._table(content, kind(content), f"{table}.{name}")
            if raw is not None:
                yield name, raw

    def _table(self, content: object, kind: type[StructT], where: str) -> StructT | None:
        try:
            return msgspec.convert(content, kind)
        except msgspec.ValidationError as error:
            self._fault(where, str(error), None)
            return None

    def _try(self, where: str, make: Callable[[], ValueT]) -> ValueT | None:
        try:
            return make()
        except ConfigError as error:
            for finding in error.findings:
                self._fault(where, finding.message, finding.hint)
        except CountersealError as error:
            self._fault(where, error.message, error.hint)
        return None

    def _check_keys(self, document: dict[str, Any]) -> None:
        self._unknown(document, [*TABLES, *NAMED_TABLES], "")
        for table, kind in TABLES.items():
            self._check_table(document.get(table), kind, table)
        for table, kind in NAMED_TABLES.items():
            named = document.get(table)
            for name, content in named.items() if isinstance(named, dict) else ():
                self._check_table(content, kind_of(content) if table == "sites" else kind, f"{table}.{name}")

    def _check_table(self, content: object, kind: type[msgspec.Struct], where: str) -> None:
        if not isinstance(content, dict):
            if content is not None:
                self._fault(where, "must be a table", None)
            return
        self._unknown(content, [field.encode_name for field in msgspec.structs.fields(kind)], where)
        for key, nested in NESTED.items():
            inner = content.get(key)
            for index, table in enumerate(inner if isinstance(inner, list) else [inner]):
                if isinstance(table, dict):
                    suffix = f"[{index}]" if isinstance(inner, list) else ""
                    self._check_table(table, nested, f"{where}.{key}{suffix}")

    def _unknown(self, content: dict[str, Any], known: list[str], where: str) -> None:
        for key in content:
            if key not in known:
                self._fault(where or "file", f"unknown key: {key!r}", hint_for(key, known))

    def _path(self, text: str | None) -> Path | None:
        return None if text is None else self.path.parent / text

    def _fault(self, where: str, message: str, hint: str | None) -> None:
        self.faults.append(Finding("config.invalid", Severity.CRITICAL, message, where=where, hint=hint))
