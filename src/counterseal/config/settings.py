"""What the configuration says, checked and frozen. An empty file gives all of these defaults."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from counterseal.authority.parts import Rules
from counterseal.authority.reminders.settings import ReminderSettings
from counterseal.errors import NotFoundError, hint_for
from counterseal.service.settings import ServeSettings

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.authority.served import ServedSite
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


class Settings(NamedTuple):
    """The whole configuration; ``source`` is the file it was read from, None when there is none."""

    source: Path | None = None
    rules: Rules = Rules()
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

    def chosen(self, name: str | None, *, also: str = "") -> tuple[ServedSite, ...]:
        """Return every site, or the one of this name; raises NotFoundError ``site.unknown``, ``also`` in its hint."""
        found = tuple(one for one in self.sites if name in {None, one.site.name})
        if name is not None and not found:
            names = [one.site.name for one in self.sites]
            otherwise = f"configured are: {', '.join(names) or 'none'}{also}"
            raise NotFoundError("site.unknown", f"no such site: {name!r}", hint=hint_for(name, names, otherwise))
        return found
