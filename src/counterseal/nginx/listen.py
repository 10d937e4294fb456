"""A socket that nginx listens on, as text and as a value."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from counterseal.errors import InputError


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
        if " " in port:
            hint = "write the socket alone: what nginx needs behind it, such as ssl, it is given"
            raise InputError("site.listen", f"cannot listen on {text[:80]!r}: more than a socket", hint=hint)
        if not (port.isascii() and port.isdigit()):
            hint = "write a port, ADDRESS:PORT, [IPV6]:PORT or *:PORT"
            raise InputError("site.listen", f"cannot listen on {text[:80]!r}: no port", hint=hint)
        return cls(_canonical(address) if colon else "*", int(port[:6]))

    @property
    def reached_at(self) -> str:
        """The address, without brackets, at which it is reached from this machine: loopback for a wildcard."""
        return {"*": "127.0.0.1", "[::]": "::1"}.get(self.address, self.address.strip("[]"))

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


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
