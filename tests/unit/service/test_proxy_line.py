"""What a proxy says before TLS: the line of the PROXY protocol, read to its end and no further."""

from __future__ import annotations

import asyncio
import socket

import pytest

from counterseal.errors import InputError
from counterseal.service.proxy_line import LONGEST, parse_proxy_line, read_proxy_line

LINE = b"PROXY TCP4 192.0.2.7 192.0.2.10 51234 443\r\n"
HELLO = b"\x16\x03\x01\x02\x00\x01\x00"


def read(sent: bytes) -> tuple[tuple[str, int] | None, bytes]:
    """Return the client, and what is left to read."""

    async def story() -> tuple[tuple[str, int] | None, bytes]:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            theirs.sendall(sent)
            theirs.shutdown(socket.SHUT_WR)
            proxied = await read_proxy_line(asyncio.get_running_loop(), ours)
            return proxied.client, ours.recv(100) if len(sent) else b""

    return asyncio.run(story())


def test_what_follows_is_left_to_tls() -> None:
    """Not one octet of it is taken."""
    assert read(LINE + HELLO) == (("192.0.2.7", 51234), HELLO)


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
    assert parse_proxy_line(line).client == client


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
        b"PROXY UNKNOWN " + b"x" * LONGEST + b"\r\n",
    ],
)
def test_what_is_no_line(sent: bytes) -> None:
    """It is refused, and no address is guessed."""
    with pytest.raises(InputError) as raised:
        read(sent)
    assert raised.value.code == "serve.proxy_line"


def test_a_probe_is_none() -> None:
    """A peer that connects and goes says nothing, which is no fault to log."""
    with pytest.raises(ConnectionError):
        read(b"")
