"""What a person types for a server: a host, a host with a port, or a URL; and what follows from it for a handshake."""

from __future__ import annotations

import re
from dataclasses import dataclass

from counterseal.errors import InputError
from counterseal.handshake.observation import Endpoint
from counterseal.handshake.trace.dial import StartTLS
from counterseal.pki.shown import quoted

_DEFAULT_PORTS = {None: 443, StartTLS.SMTP: 25, StartTLS.IMAP: 143, StartTLS.POP3: 110, StartTLS.POSTGRES: 5432}
_TARGET = re.compile(r"(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:/\[\]]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+))(?::(\d{1,5}))?")
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
    if separator and scheme.lower() != "https":
        raise InputError(
            "target.syntax", f"not a TLS address: {quoted(text)}", hint="write HOST, HOST:PORT or https://HOST/PATH"
        )
    place, slash, path = (rest if separator else text).partition("/")
    return Target(parse_endpoint(place, _DEFAULT_PORTS[starttls]), f"/{path}" if slash and path else "/")


def parse_endpoint(text: str, default_port: int) -> Endpoint:
    """Return the host and port in ``text``; raises InputError ``target.syntax``."""
    match = _TARGET.fullmatch(text)
    port = int(match[3]) if match and match[3] else default_port
    if match is None or not 1 <= port <= _MAX_PORT:
        raise InputError(
            "target.syntax",
            f"not a host with a port: {quoted(text)}",
            hint="write HOST, HOST:PORT or [IPV6]:PORT, with a port of 1 to 65535",
        )
    return Endpoint(match[1] or match[2], port)
