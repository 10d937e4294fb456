"""Where a client comes from, as a proxy that passes TLS through says before it (PROXY protocol, versions 1 and 2).

As in sections 2.1 and 2.2 of HAProxy's proxy-protocol.txt: a line, or a block of octets whose other fields (TLVs) are
passed over. Only what a trusted peer sent is read, and such a peer must send it: its own address never counts as the
client's. Nothing here knows what follows.
"""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from counterseal.errors import InputError

if TYPE_CHECKING:
    import asyncio
    import socket

LONGEST_LINE, LONGEST_BLOCK = 107, 4096
"""The first is the protocol's; the second has room for 36 octets of addresses and whatever a proxy adds to them."""

_BEGIN, _END = b"PROXY ", b"\r\n"
_LAST_PORT = 65_535
_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED = len(_SIGNATURE) + 4
_LOCAL, _PROXY = 0x20, 0x21
_LENGTHS = {0x11: 4, 0x21: 16}
"""How long an address is: TCP over IPv4, and over IPv6."""

_NO_ADDRESS = {0x00, 0x31}
"""Not said, and a Unix socket."""


class Proxied(NamedTuple):
    """A connection that came through a proxy; ``client`` is an address and a port, None where the proxy knows none."""

    client: tuple[str, int] | None


async def read_proxied(loop: asyncio.AbstractEventLoop, connection: socket.socket) -> Proxied:
    """Read what the proxy says and nothing after it.

    Raises InputError ``serve.proxy_line`` for anything else, as soon as it is seen, ConnectionError when the peer ends
    without a word, as one that only probes.
    """
    said = b""
    while missing := _missing(said):
        some = await loop.sock_recv(connection, missing)
        if not some and not said:
            raise ConnectionError("nothing was sent")
        if not some:
            raise _nothing_said()
        said += some
    return parse_block(said) if said.startswith(_SIGNATURE) else parse_line(said)


def parse_line(line: bytes) -> Proxied:
    """Return what a line says, its end included; raises InputError ``serve.proxy_line`` for anything else."""
    match line.decode("ascii", "replace").removesuffix("\r\n").split(" "):
        case ["PROXY", "UNKNOWN", *_]:
            return Proxied(None)
        case ["PROXY", family, source, _, port, _]:
            with suppress(ValueError):
                address, number = ip_address(source), int(port)
                if family == f"TCP{address.version}" and 0 <= number <= _LAST_PORT:
                    return Proxied((str(address), number))
    raise _nothing_said()


def parse_block(block: bytes) -> Proxied:
    """Return what a whole block of version 2 says; raises InputError ``serve.proxy_line`` for anything else.

    LOCAL is what a proxy says of a connection of its own, such as one that looks whether we are there.
    """
    command, family, content = block[12], block[13], block[_FIXED:]
    if command == _LOCAL or family in _NO_ADDRESS:
        return Proxied(None)
    length = _LENGTHS.get(family)
    if length is None or len(content) < 2 * length + 4:
        raise _nothing_said()
    port = int.from_bytes(content[2 * length : 2 * length + 2], "big")
    return Proxied((str(ip_address(content[:length])), port))


def _missing(said: bytes) -> int:
    """Return how many octets may be read next, 0 at the end; what follows belongs to TLS. Raises InputError."""
    if not said:
        return 1
    if said[: len(_SIGNATURE)] == _SIGNATURE[: len(said)]:
        if len(said) < _FIXED:
            return _FIXED - len(said)
        length = int.from_bytes(said[14:16], "big")
        if said[12] in {_LOCAL, _PROXY} and length <= LONGEST_BLOCK:
            return _FIXED + length - len(said)
    elif said[: len(_BEGIN)] == _BEGIN[: len(said)] and len(said) <= LONGEST_LINE:
        return 0 if said.endswith(_END) else 1  # one by one: where a line ends is known at its end
    raise _nothing_said()


def _nothing_said() -> InputError:
    return InputError(
        "serve.proxy_line",
        "what came from a proxy did not begin as the PROXY protocol has it, in version 1 or 2",
        hint="proxy_protocol on; in nginx, send-proxy-v2 in HAProxy; or take its network out of trust_proxy_protocol",
    )
