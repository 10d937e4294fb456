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
_MAX_NAME = 255
"""Of RFC 1035 2.3.4, and the longest that OpenSSL sends as SNI."""
_MAX_PROTOCOL = 255


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
    return Endpoint(parse_host_name(host), port)


def parse_host_name(text: str) -> str:
    """Return a name that can be resolved and sent as SNI; raises InputError ``target.name``."""
    try:
        sendable = 1 <= len(text.encode("idna")) <= _MAX_NAME
    except UnicodeError:
        sendable = False
    if not sendable:
        hint = f"1 to 63 octets stand before and behind each dot, and at most {_MAX_NAME} in all"
        raise InputError("target.name", f"not a name of a host: {quoted(text)}", hint=hint)
    return text


def parse_protocols(text: str) -> tuple[str, ...]:
    """Return the ALPN protocols in a list with commas (RFC 7301 3.1); raises InputError ``target.protocol``."""
    protocols = tuple(one.strip() for one in text.split(",") if one.strip())
    for one in protocols:
        if not one.isascii() or len(one) > _MAX_PROTOCOL:
            hint = f"as registered, such as h2 or http/1.1: 1 to {_MAX_PROTOCOL} octets of ASCII"
            raise InputError("target.protocol", f"not a protocol for ALPN: {quoted(one)}", hint=hint)
    return protocols


def _how_to_write(text: str) -> str:
    address, _, last = text.rpartition(":")
    if _is_ipv6(address):
        return f"brackets tell the port from the address: [{address}]:{last}"
    return "write HOST, HOST:PORT or [IPV6]:PORT, with a port of 1 to 65535"


def _is_ipv6(text: str) -> bool:
    with suppress(AddressValueError):
        return bool(IPv6Address(text).packed)
    return False
