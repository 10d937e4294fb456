"""What the configuration says, checked and frozen. An empty file gives all of these defaults.

A section is told apart from the others: what is wrong with one is raised when that one is asked for.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from counterseal.authority.parts import Rules
from counterseal.authority.reminders.settings import ReminderSettings
from counterseal.errors import NotFoundError, hint_for
from counterseal.service.settings import ServeSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from counterseal.authority.parts import ReadRules
    from counterseal.authority.served import ServedSite
    from counterseal.errors import ConfigError
    from counterseal.pki.profile import Profile
    from counterseal.protocols.acme.rules import AcmeRules
    from counterseal.protocols.api.rules import ApiRules
    from counterseal.protocols.est.rules import ESTRules
    from counterseal.protocols.ocsp_rules import OCSPRules


class NginxSettings(NamedTuple):
    """Which nginx serves the sites.

    Without ``config`` it is a private one that Counterseal runs itself, as any user; with it, the user's own nginx,
    whose main configuration that is and which reads one include file of ours. ``worker_shutdown_timeout`` bounds how
    long a running stream outlives a revocation; in the user's own nginx it is his to set.
    """

    binary: Path | None = None
    config: Path | None = None
    include_file: Path | None = None
    user: str | None = None
    unit: str = "nginx"
    worker_shutdown_timeout: timedelta = timedelta(seconds=30)


class StoreSettings(NamedTuple):
    """The database that the store is in, when it is not a file in the home; the file holds its password."""

    url: str
    password_file: Path | None = None


class Sections(NamedTuple):
    """What each section says; where something is wrong with one, what is right of it, and defaults elsewhere."""

    rules: Rules = Rules()
    """Of ``[ca]`` and ``[profiles]``, and of ``[serve]`` where lists are published."""
    nginx: NginxSettings = NginxSettings()
    sites: tuple[ServedSite, ...] = ()
    store: StoreSettings | None = None
    serve: ServeSettings = ServeSettings()
    acme: AcmeRules | None = None
    """None: nothing is said about ACME, so its defaults hold."""
    ocsp: OCSPRules | None = None
    """None: the same of OCSP."""
    api: ApiRules | None = None
    """None: nobody has access to the API."""
    reminders: ReminderSettings = ReminderSettings()
    est: ESTRules | None = None
    """None: the same of EST."""


class Settings(NamedTuple):
    """The whole configuration, a section at a time; ``source`` is the file it was read from, None when there is none.

    Asking for a section with something wrong in it raises ConfigError, with every fault of the file: a mistake in one
    section keeps nobody from what needs the others only.
    """

    source: Path | None = None
    said: Sections = Sections()
    error: ConfigError | None = None
    """All that is wrong with the file."""
    faulty: frozenset[str] = frozenset()
    """The sections that it is in."""
    doubted: frozenset[str] = frozenset()
    """Those among them with which nothing else is wrong than that a section that is like none may say more of them."""
    content: bytes = b""
    """The file as it stands, where it is TOML."""

    @property
    def rules(self) -> ReadRules:
        """What the file may change about the CA; each rule raises where its own section is wrong."""
        return _SectionRules(self)

    @property
    def nginx(self) -> NginxSettings:
        """``[nginx]``."""
        return self.sound("nginx").nginx

    @property
    def sites(self) -> tuple[ServedSite, ...]:
        """``[sites]``."""
        return self.sound("sites").sites

    @property
    def store(self) -> StoreSettings | None:
        """``[store]``."""
        return self.sound("store").store

    @property
    def serve(self) -> ServeSettings:
        """``[serve]``."""
        return self.sound("serve").serve

    @property
    def acme(self) -> AcmeRules | None:
        """``[acme]``."""
        return self.sound("acme").acme

    @property
    def ocsp(self) -> OCSPRules | None:
        """``[ocsp]``."""
        return self.sound("ocsp").ocsp

    @property
    def api(self) -> ApiRules | None:
        """``[api]``."""
        return self.sound("api").api

    @property
    def est(self) -> ESTRules | None:
        """``[est]``."""
        return self.sound("est").est

    @property
    def reminders(self) -> ReminderSettings:
        """``[reminders]``."""
        return self.sound("reminders").reminders

    def sound(self, section: str) -> Sections:
        """Return what is said, where nothing is wrong with this section; raises ConfigError."""
        if wrong := self.error_in(section):
            raise wrong
        return self.said

    def error_in(self, section: str) -> ConfigError | None:
        """Return what ``sound`` raises for this section."""
        return self.error if section in self.faulty else None

    def require(self, *, but: Iterable[str] = ()) -> None:
        """Raise ConfigError where anything is wrong with any section, ``but`` for these."""
        if self.error is not None and self.faulty.difference(but):
            raise self.error

    def readable(self) -> Settings:
        """Return what is right of the file, and defaults elsewhere: for who tells the faults and looks at the rest."""
        return Settings(said=self.said)

    def with_sound_sites(self) -> Settings:
        """Return the same with only those sites with which nothing is wrong: for who looks, and deploys none."""
        return self._replace(faulty=self.faulty - {"sites"})

    def for_revocation(self) -> Settings:
        """Return what keeps nginx's lists true whatever else is wrong; who takes it tells ``overlooked`` in the end.

        That is what is right of ``[ca]`` and defaults elsewhere, and what is doubted as it stands in the file.
        """
        return self._replace(faulty=self.faulty - self._passed_over)

    def overlooked(self) -> ConfigError | None:
        """Return what ``for_revocation`` passes over."""
        return self.error if self.faulty & self._passed_over else None

    @property
    def _passed_over(self) -> frozenset[str]:
        return self.doubted | {"ca"}

    def chosen(self, name: str | None, *, also: str = "") -> tuple[ServedSite, ...]:
        """Return every site, or the one of this name; raises NotFoundError ``site.unknown``, ``also`` in its hint."""
        found = tuple(one for one in self.sites if name in {None, one.site.name})
        if name is not None and not found:
            names = [one.site.name for one in self.sites]
            otherwise = f"configured are: {', '.join(names) or 'none'}{also}"
            raise NotFoundError("site.unknown", f"no such site: {name!r}", hint=hint_for(name, names, otherwise))
        return found


class _SectionRules:
    """The rules of a file, each read where its section is sound."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def profiles(self) -> Mapping[str, Profile]:
        return self._settings.sound("profiles").rules.profiles

    @property
    def crl_lifetime(self) -> timedelta:
        return self._settings.sound("ca").rules.crl_lifetime

    @property
    def crl_refresh(self) -> timedelta:
        return self._settings.sound("ca").rules.crl_refresh

    @property
    def root_crl_lifetime(self) -> timedelta | None:
        return self._settings.sound("ca").rules.root_crl_lifetime

    @property
    def published_at(self) -> str | None:
        return self._settings.sound("serve").rules.published_at

    @property
    def names_ocsp(self) -> bool:
        return self._settings.sound("ocsp").rules.names_ocsp
