"""What a person types for a server: a host, a host with a port, or a URL; and what follows from it for a handshake."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address

from counterseal.errors import InputError
from counterseal.handshake.observation import Endpoint
from counterseal.handshake.trace.dial import StartTLS
from counterseal.pki.shown import quoted

_DEFAULT_PORTS = {None: 443, StartTLS.SMTP: 25, StartTLS.IMAP: 143, StartTLS.POP3: 110, StartTLS.POSTGRES: 5432}
_TARGET = re.compile(
    r"(?:\[([0-9A-Fa-f:.]+(?:%[^\s\[\]]+)?)\]|([^\s:/\[\]]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+))(?::(\d{1,5}))?"
)
_PARTS = re.compile(r"([^/?#]*)([^#]*)")  # of RFC 3986 3: authority, path with query; a fragment is not sent
_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class Target:
    """A host, a port, and the path of a URL."""

    endpoint: Endpoint
    path: str = "/"


def parse_target(text: str, starttls: StartTLS | None = None) -> Target:
    """Return what ``HOST``, ``HOST:PORT``, ``[IPV6]:PORT`` or ``https://HOST:PORT/PATH`` stands for.

    The port is 443, or the one of the STARTTLS protocol. Raises InputError ``target.syntax``.
    """
    scheme, separator, rest = text.partition("://")
    parts = _PARTS.match(rest if separator else text)
    place, path = parts.groups() if parts else ("", "")
    if "@" in place:  # what stands before it may be a password, and is not repeated
        host = place.rpartition("@")[2]
        raise InputError(
            "target.user", f"no user name belongs into the address of {quoted(host)}", hint=f"write {host}"
        )
    if separator and scheme.lower() != "https":
        raise InputError(
            "target.syntax", f"not a TLS address: {quoted(text)}", hint=f"write {place} or https://{place}/PATH"
        )
    return Target(parse_endpoint(place, _DEFAULT_PORTS[starttls]), path if path.startswith("/") else f"/{path}")


def parse_endpoint(text: str, default_port: int) -> Endpoint:
    """Return the host and port in ``text``; raises InputError ``target.syntax``."""
    match = _TARGET.fullmatch(text)
    port = int(match[3]) if match and match[3] else default_port
    host = (match[1] or match[2]) if match else ""
    if match is None or not 1 <= port <= _MAX_PORT or (":" in host and not _is_ipv6(host)):
        raise InputError("target.syntax", f"not a host with a port: {quoted(text)}", hint=_how_to_write(text))
    return Endpoint(host, port)


def _how_to_write(text: str) -> str:
    address, _, last = text.rpartition(":")
    if _is_ipv6(address):
        return f"brackets tell the port from the address: [{address}]:{last}"
    return "write HOST, HOST:PORT or [IPV6]:PORT, with a port of 1 to 65535"


def _is_ipv6(text: str) -> bool:
    with suppress(AddressValueError):
        return bool(IPv6Address(text).packed)
    return False
