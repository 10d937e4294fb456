"""An HTTP site: what the user wants of a set of server names, as a value that cannot hold what nginx would misread.

Every constructor refuses text that could end a word, a directive or a regular expression in a rendered configuration,
and demands that contradict each other; all faults of one value are reported together (ConfigError ``site.invalid``).
Knows no certificate: those are the ``Material``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from counterseal.nginx import faults
from counterseal.nginx.any_site import EVERY_CLIENT, Allow, AnySite
from counterseal.nginx.choices import (
    MAP_ONLY_BEYOND,
    Admit,
    ClientCertificates,
    IdentityHeaders,
    Revocation,
    Sessions,
    TLSProfile,
)
from counterseal.nginx.listen import Listen
from counterseal.nginx.upstream import HTTP_SCHEMES, Scheme

__all__ = [
    "MAP_ONLY_BEYOND",
    "Admit",
    "Allow",
    "ClientCertificates",
    "IdentityHeaders",
    "Listen",
    "Location",
    "Revocation",
    "Sessions",
    "Site",
    "TLSProfile",
]


@dataclass(frozen=True, slots=True)
class Location:
    """A path and everything below it, with its own demand, target, or both; what is None is the site's.

    ``/admin`` and ``/admin/`` mean the same: that path and all under it, not ``/administrator``.
    """

    path: str
    client_certificates: ClientCertificates | None = None
    allow: Allow = EVERY_CLIENT
    upstream: str | None = None
    root: str | None = None

    def __post_init__(self) -> None:
        faults.refuse(faults.of_location(self), f"location {self.path[:80]!r}")

    @property
    def prefix(self) -> str:
        """The path without a slash at its end."""
        return self.path.rstrip("/")


@dataclass(frozen=True, slots=True)
class Site(AnySite):
    """One rendered server block of the http module. Raises ConfigError ``site.invalid`` with every fault."""

    schemes: ClassVar[tuple[Scheme, ...]] = HTTP_SCHEMES

    root: str | None = None
    locations: tuple[Location, ...] = ()
    identity_headers: IdentityHeaders = IdentityHeaders.OFF
    redirect_from: tuple[Listen, ...] = ()
    hsts: bool = False
    sessions: Sessions = Sessions.OFF

    def __post_init__(self) -> None:
        faults.refuse(faults.of_site(self), f"site {self.name[:80]!r}")

    @property
    def sockets(self) -> tuple[Listen, ...]:
        """Every socket that it listens on."""
        return (*self.listen, *self.redirect_from)

    @property
    def allows(self) -> tuple[Allow, ...]:
        """Every list of whom to let in."""
        return (self.allow, *(location.allow for location in self.locations))

    @property
    def upstream_texts(self) -> tuple[str, ...]:
        """Every upstream of the site and its locations, as written."""
        texts = (self.upstream, *(location.upstream for location in self.locations))
        return tuple(text for text in texts if text is not None)

    @property
    def demanding(self) -> tuple[Location, ...]:
        """Locations that ask more of the client than the site does."""
        return tuple(location for location in self.locations if self._demands(location))

    @property
    def proxies(self) -> bool:
        """Whether any location of the site has an upstream."""
        return bool(self.upstream_texts)

    @property
    def proxies_http(self) -> bool:
        """Whether any of them is one for ``proxy_pass``."""
        return any(not upstream.is_grpc for upstream in self.upstreams)

    def _demands(self, location: Location) -> bool:
        stricter = location.client_certificates is ClientCertificates.REQUIRED
        return location.allow.restricts or (stricter and self.client_certificates is ClientCertificates.OPTIONAL)
