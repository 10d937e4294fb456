"""What a proxy says before TLS: the PROXY protocol, a line or a block, read to its end and no further."""

from __future__ import annotations

import asyncio
import socket

import pytest

from counterseal.errors import InputError
from counterseal.service.proxy_protocol import LONGEST_BLOCK, LONGEST_LINE, parse_line, read_proxied

LINE = b"PROXY TCP4 192.0.2.7 192.0.2.10 51234 443\r\n"
SIGNATURE = bytes.fromhex("0d0a0d0a000d0a515549540a")
FROM_4 = bytes.fromhex("c0000207 c000020a c822 01bb")
FROM_6 = bytes.fromhex("20010db8000000000000000000000007 20010db8000000000000000000000001 ffff 01bb")
FIELDS = bytes.fromhex("04 0003 000000 ea 0005 0100000001")
"""Fields that a proxy adds (TLVs): padding, and the name of an endpoint, which begins with the same octet at AWS."""

HELLO = b"\x16\x03\x01\x02\x00\x01\x00"


def block(command: int, family: int, content: bytes) -> bytes:
    """Return a block of version 2."""
    return SIGNATURE + bytes([command, family]) + len(content).to_bytes(2, "big") + content


def read(sent: bytes) -> tuple[tuple[str, int] | None, bytes]:
    """Return the client, and what is left to read."""

    async def story() -> tuple[tuple[str, int] | None, bytes]:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            theirs.sendall(sent)
            theirs.shutdown(socket.SHUT_WR)
            proxied = await read_proxied(asyncio.get_running_loop(), ours)
            return proxied.client, ours.recv(100) if len(sent) else b""

    return asyncio.run(story())


@pytest.mark.parametrize("said", [LINE, block(0x21, 0x11, FROM_4), block(0x21, 0x11, FROM_4 + FIELDS)])
def test_what_follows_is_left_to_tls(said: bytes) -> None:
    """Not one octet of it is taken, whatever the version, and with more fields behind the addresses."""
    assert read(said + HELLO) == (("192.0.2.7", 51234), HELLO)


@pytest.mark.parametrize(
    ("said", "client"),
    [
        (block(0x21, 0x21, FROM_6), ("2001:db8::7", 65535)),
        (block(0x21, 0x21, FROM_6 + FIELDS), ("2001:db8::7", 65535)),
        (block(0x21, 0x11, FROM_4.ljust(LONGEST_BLOCK, b"\0")), ("192.0.2.7", 51234)),
        (block(0x20, 0x00, b""), None),
        (block(0x20, 0x11, FROM_4 + FIELDS), None),
        (block(0x20, 0xFF, b"anything"), None),
        (block(0x21, 0x00, FIELDS), None),
        (block(0x21, 0x31, b"/run/a".ljust(216, b"\0")), None),
    ],
)
def test_every_kind_of_block(said: bytes, client: tuple[str, int] | None) -> None:
    """Both families; a connection of the proxy's own, whatever else it says of that; and one without an address."""
    assert read(said + HELLO) == (client, HELLO)


def test_a_block_may_arrive_in_pieces() -> None:
    """Octet by octet, as a proxy may send it."""

    async def story() -> tuple[str, int] | None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            reading = asyncio.create_task(read_proxied(asyncio.get_running_loop(), ours))
            for octet in block(0x21, 0x11, FROM_4 + FIELDS):
                await asyncio.sleep(0)  # the one before is read
                assert not reading.done()
                theirs.sendall(bytes([octet]))
            return (await reading).client

    assert asyncio.run(story()) == ("192.0.2.7", 51234)


@pytest.mark.parametrize(
    "begun",
    [
        HELLO[:1],
        SIGNATURE[:4] + b"GET",
        SIGNATURE + bytes.fromhex("31 11 000c"),
        SIGNATURE + bytes.fromhex("22 11 000c"),
        SIGNATURE + bytes.fromhex("21 11") + (LONGEST_BLOCK + 1).to_bytes(2, "big"),
    ],
)
def test_it_is_refused_as_soon_as_it_is_seen(begun: bytes) -> None:
    """While the peer goes on: another protocol, another version or command, more than anybody sends."""

    async def story() -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            theirs.sendall(begun)
            await asyncio.wait_for(read_proxied(asyncio.get_running_loop(), ours), 30)

    with pytest.raises(InputError) as raised:
        asyncio.run(story())
    assert raised.value.code == "serve.proxy_line"


@pytest.mark.parametrize(
    ("line", "client"),
    [
        (b"PROXY TCP6 2001:DB8::7 2001:db8::1 65535 443\r\n", ("2001:db8::7", 65535)),
        (b"PROXY UNKNOWN\r\n", None),
        (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None),
    ],
)
def test_every_kind_of_line(line: bytes, client: tuple[str, int] | None) -> None:
    """Both families; and a proxy that knows no client."""
    assert parse_line(line).client == client


@pytest.mark.parametrize(
    "sent",
    [
        HELLO,
        b"PROXY",
        b"GET / HTTP/1.1\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.10 51234\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.10 51234 443 1\r\n",
        b"PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n",
        b"PROXY TCP6 192.0.2.7 192.0.2.10 1 2\r\n",
        b"PROXY TCP4 192.0.2.256 192.0.2.10 1 2\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.10 65536 2\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.10 -1 2\r\n",
        "PROXY TCP4 192.0.2.7 192.0.2.10 ² 2\r\n".encode(),
        b"PROXY UDP4 192.0.2.7 192.0.2.10 1 2\r\n",
        b"PROXY UNKNOWN " + b"x" * LONGEST_LINE + b"\r\n",
        SIGNATURE[:7],
        SIGNATURE,
        block(0x21, 0x11, FROM_4)[:-1],
        block(0x21, 0x11, FROM_4[:-1]),
        block(0x21, 0x21, FROM_6[:-1]),
        block(0x21, 0x21, FROM_4),
        block(0x21, 0x12, FROM_4),
        block(0x21, 0x22, FROM_6),
        block(0x21, 0x32, b"/run/a".ljust(216, b"\0")),
        block(0x21, 0x01, FROM_4),
        block(0x21, 0x10, FROM_4),
    ],
)
def test_what_is_neither(sent: bytes) -> None:
    """It is refused, and no address is guessed."""
    with pytest.raises(InputError) as raised:
        read(sent)
    assert raised.value.code == "serve.proxy_line"


def test_a_probe_is_none() -> None:
    """A peer that connects and goes says nothing, which is no fault to log."""
    with pytest.raises(ConnectionError):
        read(b"")
