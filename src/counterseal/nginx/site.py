"""A site: what the user wants of one set of server names, as a value that cannot hold anything nginx would misread.

Every constructor refuses text that could end a word, a directive or a regular expression in a rendered configuration,
and demands that contradict each other; all faults of one value are reported together (ConfigError ``site.invalid``).
Knows no certificate: those are the ``Material``.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum

from counterseal.errors import InputError
from counterseal.nginx import faults
from counterseal.nginx.upstream import Scheme, Upstream, UpstreamTLS

MAP_ONLY_BEYOND = 10_000


class ClientCertificates(StrEnum):
    """What a client must show: nothing is asked for, a certificate may be shown, or one must be."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


class Revocation(StrEnum):
    """How nginx learns of revocations: CRL in the handshake, map per request, both, or by the size of the list."""

    CRL = "crl"
    MAP = "map"
    BOTH = "both"
    AUTO = "auto"

    def settle(self, entries: int) -> Revocation:
        """Return what ``auto`` means for a list of this many entries; the other modes stay."""
        if self is not Revocation.AUTO:
            return self
        return Revocation.MAP if entries > MAP_ONLY_BEYOND else Revocation.BOTH


class Admit(StrEnum):
    """Whether every certificate that verifies is admitted, or only those the inventory knows."""

    VALID = "valid"
    KNOWN = "known"


class TLSProfile(StrEnum):
    """Mozilla server side TLS 6.0: TLS 1.2 and 1.3, or 1.3 alone."""

    INTERMEDIATE = "intermediate"
    MODERN = "modern"


class IdentityHeaders(StrEnum):
    """What the upstream is told of the client: nothing, the X-SSL-Client set, or RFC 9440 ``Client-Cert``."""

    OFF = "off"
    STANDARD = "standard"
    RFC9440 = "rfc9440"


class Sessions(StrEnum):
    """Whether TLS sessions may be resumed; a resumed session is not verified again."""

    OFF = "off"
    CACHE = "cache"


@dataclass(frozen=True, slots=True)
class Listen:
    """A TCP socket: ``address`` is ``*``, an IPv4 address, or an IPv6 address in brackets."""

    address: str
    port: int

    def __post_init__(self) -> None:
        fault = _listen_fault(self)
        if fault:
            hint = "write a port, ADDRESS:PORT, [IPV6]:PORT or *:PORT"
            raise InputError("site.listen", f"cannot listen on {self}: {fault}", hint=hint)

    @classmethod
    def parse(cls, text: str) -> Listen:
        """Read ``8443``, ``127.0.0.1:8443``, ``[::1]:8443`` or ``*:443``; raises InputError ``site.listen``."""
        address, colon, port = text.strip().rpartition(":")
        if not (port.isascii() and port.isdigit()):
            hint = "write a port, ADDRESS:PORT, [IPV6]:PORT or *:PORT"
            raise InputError("site.listen", f"cannot listen on {text[:80]!r}: no port", hint=hint)
        return cls(_canonical(address) if colon else "*", int(port[:6]))

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Allow:
    """Whom to let in: any one of these exact subjects, groups (OU) or serial numbers; empty means every client.

    A subject is RFC 4514 or slash text and is compared exactly, case included. ``CA:SUBJECT`` means that subject only
    from the client CA of that name; without it, from any CA that the site admits.
    """

    subjects: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    serial_numbers: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        faults.refuse(faults.of_allow(self), "allow")

    @property
    def restricts(self) -> bool:
        """Whether anything is named, so that not every client passes."""
        return bool(self.subjects or self.groups or self.serial_numbers)


@dataclass(frozen=True, slots=True)
class Location:
    """A path and everything below it, with its own demand, target, or both; what is None is the site's.

    ``/admin`` and ``/admin/`` mean the same: that path and all under it, not ``/administrator``.
    """

    path: str
    client_certificates: ClientCertificates | None = None
    allow: Allow = Allow()
    upstream: str | None = None
    root: str | None = None

    def __post_init__(self) -> None:
        faults.refuse(faults.of_location(self), f"location {self.path[:80]!r}")

    @property
    def prefix(self) -> str:
        """The path without a slash at its end."""
        return self.path.rstrip("/")


@dataclass(frozen=True, slots=True)
class Site:
    """One rendered server block. Raises ConfigError ``site.invalid`` with every fault as a finding."""

    name: str
    server_names: tuple[str, ...]
    listen: tuple[Listen, ...]
    client_certificates: ClientCertificates = ClientCertificates.REQUIRED
    client_cas: tuple[str, ...] = ()
    upstream: str | None = None
    upstream_tls: UpstreamTLS | None = None
    root: str | None = None
    locations: tuple[Location, ...] = ()
    allow: Allow = Allow()
    revocation: Revocation = Revocation.AUTO
    admit: Admit = Admit.VALID
    identity_headers: IdentityHeaders = IdentityHeaders.OFF
    tls: TLSProfile = TLSProfile.INTERMEDIATE
    redirect_from: tuple[Listen, ...] = ()
    hsts: bool = False
    sessions: Sessions = Sessions.OFF

    def __post_init__(self) -> None:
        faults.refuse(faults.of_site(self), f"site {self.name[:80]!r}")

    @property
    def verifies(self) -> bool:
        """Whether clients are asked for a certificate."""
        return self.client_certificates is not ClientCertificates.NONE

    @property
    def upstream_texts(self) -> tuple[str, ...]:
        """Every upstream of the site and its locations, as written."""
        texts = (self.upstream, *(location.upstream for location in self.locations))
        return tuple(text for text in texts if text is not None)

    @property
    def upstreams(self) -> tuple[Upstream, ...]:
        """Every upstream of the site and its locations."""
        return tuple(map(Upstream.parse, self.upstream_texts))

    @property
    def backend_names(self) -> dict[Scheme, str]:
        """The name in the certificate of the first TLS backend of each protocol."""
        named: dict[Scheme, str] = {}
        for upstream in self.upstreams:
            name = self.upstream_tls.name_of(upstream) if self.upstream_tls and upstream.is_tls else None
            if name is not None:
                named.setdefault(upstream.scheme, name)
        return named

    @property
    def demanding(self) -> tuple[Location, ...]:
        """Locations that ask more of the client than the site does."""
        return tuple(location for location in self.locations if self._demands(location))

    @property
    def proxies(self) -> bool:
        """Whether any location of the site has an upstream."""
        return self.upstream is not None or any(location.upstream is not None for location in self.locations)

    @property
    def proxies_http(self) -> bool:
        """Whether any of them is one for ``proxy_pass``."""
        return any(not upstream.is_grpc for upstream in self.upstreams)

    def _demands(self, location: Location) -> bool:
        stricter = location.client_certificates is ClientCertificates.REQUIRED
        return location.allow.restricts or (stricter and self.client_certificates is ClientCertificates.OPTIONAL)


def _canonical(address: str) -> str:
    bare = address.removeprefix("[").removesuffix("]")
    try:
        parsed = ipaddress.ip_address(bare)
    except ValueError:
        return address
    if parsed == ipaddress.IPv4Address(0):
        return "*"
    return f"[{parsed.compressed}]" if parsed.version == 6 and address.startswith("[") else address  # noqa: PLR2004 - IP


def _listen_fault(listen: Listen) -> str | None:
    if not 1 <= listen.port <= 65535:  # noqa: PLR2004 - 16 bits, and 0 is no port
        return "the port is not between 1 and 65535"
    if listen.address == "*":
        return None
    bare = listen.address.removeprefix("[").removesuffix("]")
    try:
        version = ipaddress.ip_address(bare).version
    except ValueError:
        return "not an IP address"
    if "%" in bare or listen.address != (bare if version == 4 else f"[{bare}]"):  # noqa: PLR2004 - IP
        return "an IPv6 address stands in brackets, without a zone"
    return None
