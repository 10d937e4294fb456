"""Where a site sends requests, and how nginx and that backend know each other.

An upstream is written ``HOST:PORT`` or ``unix:/path``, with the scheme before it where it is not plain HTTP. Over TLS
nginx always verifies the backend: there is no switch for that. Knows no certificate: those are the ``Material``.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum

from counterseal.errors import InputError

_SOCKET = re.compile(r"unix:(?=.{1,107}\Z)(?:/[A-Za-z0-9._@+-]+)+")  # unix(7) has room for 107 octets
_NOT_IN_SOCKET, _LONGEST_SOCKET = re.compile(r"[^A-Za-z0-9._@+/-]"), 107
_HOST_PORT = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")


class Scheme(StrEnum):
    """How a backend is spoken to."""

    HTTP = "http"
    HTTPS = "https"
    GRPC = "grpc"
    GRPCS = "grpcs"
    TCP = "tcp"
    TLS = "tls"


HTTP_SCHEMES = (Scheme.HTTP, Scheme.HTTPS, Scheme.GRPC, Scheme.GRPCS)
STREAM_SCHEMES = (Scheme.TCP, Scheme.TLS)


class BackendCertificate(StrEnum):
    """What nginx shows its backend: no certificate, one that we issue and renew, or the user's own."""

    NONE = "none"
    ISSUED = "issued"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Upstream:
    """A backend: ``address`` is ``HOST:PORT`` or ``unix:/path``."""

    scheme: Scheme
    address: str

    @classmethod
    def parse(cls, text: str, schemes: tuple[Scheme, ...] = HTTP_SCHEMES) -> Upstream:
        """Read an upstream as a site has it, a bare one as the first of ``schemes``; raises InputError."""
        scheme, marker, address = text.partition("://")
        if not marker:
            scheme, address = schemes[0].value, text
        if scheme not in set(schemes) or not _is_address(address):
            shown = repr(text if len(text) <= 80 else text[:80] + "...")  # noqa: PLR2004 - a message stays one line
            known = ", ".join(f"{known}://" for known in schemes)
            hint = f"write HOST:PORT or unix:/path, and before it one of {known} ({schemes[0]} without)"
            hint += _what_is_amiss(address)
            raise InputError("site.upstream", f"not an upstream: {shown}", hint=hint)
        return cls(Scheme(scheme), address)

    @property
    def is_tls(self) -> bool:
        """Whether nginx speaks TLS to it."""
        return self.scheme in {Scheme.HTTPS, Scheme.GRPCS, Scheme.TLS}

    @property
    def is_grpc(self) -> bool:
        """Whether it is one for ``grpc_pass``."""
        return self.scheme in {Scheme.GRPC, Scheme.GRPCS}

    @property
    def host(self) -> str | None:
        """Its DNS name, which its certificate has; None for an address or a Unix socket, of which nginx knows none."""
        host = self.address.rpartition(":")[0]
        if self.address.startswith("unix:") or host.startswith("["):
            return None
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return host.lower()
        return None


@dataclass(frozen=True, slots=True)
class UpstreamTLS:
    """How a site's https and grpcs backends are verified, and what nginx shows them.

    ``name`` is the DNS name that the backend's certificate must have, None for the host of the upstream: nginx matches
    no IP address. ``relay_400`` hands on answers of 400, among which are a backend's complaints about nginx's own
    certificate.
    """

    name: str | None = None
    certificate: BackendCertificate = BackendCertificate.NONE
    relay_400: bool = False

    def name_of(self, upstream: Upstream) -> str | None:
        """Return the name that the certificate of this backend must have, None where nobody said it."""
        return self.name or upstream.host


def _what_is_amiss(address: str) -> str:
    """Return which part of an address people forgot or added, if that is the matter."""
    if address.startswith("unix:"):
        return _what_is_amiss_in_path(address.removeprefix("unix:"))
    place, slash, _ = address.partition("/")
    if slash and _is_address(place):
        return "; no path behind the port"
    return "; the port is missing" if _is_address(f"{place}:80") else ""


def _what_is_amiss_in_path(path: str) -> str:
    foreign = _NOT_IN_SOCKET.search(path)
    if foreign is not None:
        return f"; the path of a socket takes letters, digits and . _ @ + - alone, not {foreign[0]!r}"
    if not path.startswith("/"):
        return "; the path of a socket begins with /"
    return "; the path of a socket has at most 107 octets" if len(path) > _LONGEST_SOCKET else ""


def _is_address(text: str) -> bool:
    match = _HOST_PORT.fullmatch(text)
    return bool(match and 0 < int(match[2]) <= 65535) or bool(_SOCKET.fullmatch(text))  # noqa: PLR2004 - 16 bits
