"""Where a client comes from, as a proxy that passes TLS through says in one line before it (PROXY protocol, version 1).

As in section 2.1 of HAProxy's proxy-protocol.txt. Only what a trusted peer sent is read, and such a peer must send it:
its own address never counts as the client's. Nothing here knows what follows the line.
"""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from counterseal.errors import InputError

if TYPE_CHECKING:
    import asyncio
    import socket

LONGEST = 107
_BEGIN, _END = b"PROXY ", b"\r\n"
_LAST_PORT = 65_535


class Proxied(NamedTuple):
    """A connection that came through a proxy; ``client`` is an address and a port, None where the proxy knows none."""

    client: tuple[str, int] | None


async def read_proxy_line(loop: asyncio.AbstractEventLoop, connection: socket.socket) -> Proxied:
    """Read the line and nothing after it.

    Raises InputError ``serve.proxy_line`` for what is none, ConnectionError when the peer ends without a word, as one
    that only probes.
    """
    line = b""
    while not line.endswith(_END):
        octet = await loop.sock_recv(connection, 1)  # one by one: what follows belongs to TLS
        if not octet and not line:
            raise ConnectionError("nothing was sent")
        line += octet
        if not octet or len(line) > LONGEST or line[: len(_BEGIN)] != _BEGIN[: len(line)]:
            raise _no_line()
    return parse_proxy_line(line)


def parse_proxy_line(line: bytes) -> Proxied:
    """Return what a line says, its end included; raises InputError ``serve.proxy_line`` for anything else."""
    match line.decode("ascii", "replace").removesuffix("\r\n").split(" "):
        case ["PROXY", "UNKNOWN", *_]:
            return Proxied(None)
        case ["PROXY", family, source, _, port, _]:
            with suppress(ValueError):
                address, number = ip_address(source), int(port)
                if family == f"TCP{address.version}" and 0 <= number <= _LAST_PORT:
                    return Proxied((str(address), number))
    raise _no_line()


def _no_line() -> InputError:
    return InputError(
        "serve.proxy_line",
        "what came from a proxy did not begin with a line of the PROXY protocol, version 1",
        hint="proxy_protocol on; in nginx, send-proxy in HAProxy; or take its network out of trust_proxy_protocol",
    )
