"""One question over TLS, to servers that answer in every way but the right one."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import pytest

from counterseal.agent.address import ServerAddress
from counterseal.agent.exchange import MAX_BODY, exchange
from counterseal.agent.trust import trusting
from counterseal.errors import RemoteError
from odd_servers import serving, until_left
from pki_fixtures import make_ca, make_server, pki
from tls_answers import saying, tls_serving

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path


def chain() -> tuple:  # type: ignore[type-arg] # of what pki_fixtures makes
    """Return a server for 127.0.0.1 that is valid today, with its issuer."""
    fixture = pki()
    return fixture.server, fixture.server_ca


def trusted() -> ssl.SSLContext:
    """Return the context of a client that knows the root."""
    return trusting((pki().root.certificate,))


def without_end(connection: ssl.SSLSocket) -> None:
    """Send a body that never ends."""
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(bytes(65_536))


def cut_short(connection: ssl.SSLSocket) -> None:
    """Promise more than is sent."""
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


def silent(connection: ssl.SSLSocket) -> None:
    """Say nothing."""
    until_left(connection)


def test_an_answer_comes_back_whatever_its_status(tmp_path: Path) -> None:
    """Also a redirect, which nobody follows here."""
    behave = saying("302 Found\r\nLocation: https://elsewhere.example/", b"moved")
    with tls_serving(tmp_path, chain(), behave) as server:
        answer = exchange(server, trusted(), "GET", "/x")
    assert (answer.status, answer.headers["location"], answer.body) == (302, "https://elsewhere.example/", b"moved")


@pytest.mark.parametrize(
    ("behave", "code"),
    [
        (without_end, "remote.too_large"),
        (cut_short, "remote.broken"),
        (silent, "remote.timeout"),
        (saying("what?"), "remote.broken"),
    ],
)
def test_an_answer_that_is_none_is_named(tmp_path: Path, behave: Callable[[ssl.SSLSocket], None], code: str) -> None:
    """Without end, too short, too late, and no HTTP."""
    assert MAX_BODY < 2**22
    with tls_serving(tmp_path, chain(), behave) as server, pytest.raises(RemoteError) as caught:
        exchange(server, trusted(), "GET", "/x", seconds=0.3 if behave is silent else 30)
    assert caught.value.code == code


def test_a_handshake_without_end_is_cut_off() -> None:
    """The time for everything counts from the first octet of TLS."""
    with serving(until_left) as endpoint, pytest.raises(RemoteError) as caught:
        exchange(ServerAddress(endpoint.host, endpoint.port), trusted(), "GET", "/x", seconds=0.3)
    assert caught.value.code == "remote.timeout"


def test_a_port_without_tls_is_told_apart() -> None:
    """What answers there speaks plainly."""

    def plainly(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with serving(plainly) as endpoint, pytest.raises(RemoteError) as caught:
        exchange(ServerAddress(endpoint.host, endpoint.port), trusted(), "GET", "/x")
    assert caught.value.code == "remote.tls"


def test_nobody_there_is_said() -> None:
    """With what to look at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(RemoteError) as caught:
        exchange(ServerAddress("127.0.0.1", port), trusted(), "GET", "/x")
    assert (caught.value.code, str(port) in caught.value.message) == ("remote.unreachable", True)


def test_a_foreign_server_hears_nothing(tmp_path: Path) -> None:
    """Another root, and another name: the request is not sent."""
    heard: list[bytes] = []

    def listening(connection: ssl.SSLSocket) -> None:
        heard.append(connection.recv(65_536))

    lone = make_ca("Elsewhere")
    foreign = make_server(lone, "ca.example.com", addresses=("127.0.0.1",))
    misnamed = make_server(pki().server_ca, "other.example.com"), pki().server_ca
    for sent in ((foreign, lone), misnamed):
        with tls_serving(tmp_path, sent, listening) as server, pytest.raises(RemoteError) as caught:
            exchange(server, trusted(), "GET", "/x", headers={"Authorization": "Bearer secret"})
        assert caught.value.code == "remote.untrusted"
    assert not any(heard)
