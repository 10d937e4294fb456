"""Peers that speak no TLS, or stop in the middle: each is said as what it is, within the time."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Any

import pytest

from command import here
from counterseal.handshake.observation import Endpoint
from counterseal.handshake.trace.dial import Ending, StartTLS
from meeting import meet
from odd_servers import answering, serving, until_left
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def greeting(words: bytes) -> Callable[[socket.socket], None]:
    """Return a server that speaks first, and then listens."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(words)
        until_left(connection)

    return behave


def hang_up(connection: socket.socket) -> None:
    """Read what comes and close; closing with something unread would reset the connection."""
    connection.recv(65536)


def reset(connection: socket.socket) -> None:
    """Read a little and cut the connection."""
    connection.recv(10)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def half_a_hello(connection: socket.socket) -> None:
    """Begin a handshake record and leave."""
    connection.recv(65536)
    connection.sendall(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03")


def look(directory: Path, endpoint: Endpoint, *options: str) -> dict[str, Any]:
    """Return what the command says of a peer with which no TLS came about."""
    met = meet(directory, f"x.test:{endpoint.port}", "--connect", endpoint.host, *options)
    assert met.code == 1
    assert met.found["diagnosis"]["fix"]
    return met.found


@pytest.mark.parametrize(
    ("behave", "ending", "words"),
    [
        (greeting(b"SSH-2.0-OpenSSH_9.2p1\r\n"), Ending.NOT_TLS, "speaks no TLS but SSH"),
        (greeting(b"220 mx.example.com ESMTP\r\n"), Ending.NOT_TLS, "speaks no TLS but SMTP"),
        (answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Ending.NOT_TLS, "speaks no TLS but HTTP"),
        (answering(b"\x00\x00\x00"), Ending.NOT_TLS, "speaks no TLS but something else"),
        (hang_up, Ending.CLOSED, "closes early"),
        (half_a_hello, Ending.CLOSED, "closes early"),
        (reset, Ending.RESET, "resets the connection"),
        (until_left, Ending.SILENT, "stays silent in the handshake"),
    ],
)
def test_an_odd_peer_is_named(
    behave: Callable[[socket.socket], None], ending: Ending, words: str, tmp_path: Path
) -> None:
    """By what it did."""
    with serving(behave) as endpoint:
        found = look(tmp_path, endpoint, *(("--timeout", "1") if behave is until_left else ()))
    assert found["ending"] == ending, found
    assert words in found["diagnosis"]["happened"]


def test_nobody_listens(tmp_path: Path) -> None:
    """The connection is refused."""
    found = look(tmp_path, Endpoint("127.0.0.1", free_port()))
    assert (found["ending"], found["diagnosis"]["happened"]) == ("refused", "the connection is refused")


def test_a_name_with_an_address_where_nobody_listens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The next one is tried, and the dead one told; no resolver that tests can rely on has such a name."""
    monkeypatch.setattr("counterseal.handshake.connect._addresses", lambda *_: ["127.0.0.2", "127.0.0.1"])
    with serving(answering(b"SSH-2.0-OpenSSH_9.2p1\r\n")) as endpoint:
        found = look(tmp_path, endpoint)
    assert found["ending"] == "not-tls"
    assert found["peer"] == str(endpoint)
    assert found["passed_over"] == [f"127.0.0.2:{endpoint.port}: connection refused"]


def test_a_name_that_does_not_resolve(tmp_path: Path) -> None:
    """RFC 6761 keeps .invalid for nobody."""
    ran = here(tmp_path / "no-ca", "handshake", "nobody.invalid", "--timeout", "60")
    assert ran.code == 1
    assert "cannot resolve nobody.invalid" in ran.stdout or "the peer is silent" in ran.stdout


@pytest.mark.parametrize(
    ("kind", "words", "expected"),
    [
        (StartTLS.SMTP, b"220 mx\r\n250 mx\r\n", "does not offer STARTTLS"),
        (StartTLS.SMTP, b"554 no\r\n", "answers '554 no'"),
        (StartTLS.SMTP, b"220-" + b"x" * 5000, "a line without end"),
        (StartTLS.IMAP, b"* OK ready\r\na1 BAD no\r\n", "answers 'a1 BAD no'"),
        (StartTLS.POSTGRES, b"N", "SSL is off"),
        (StartTLS.SMTP, b"220 mx\r\n250 STARTTLS\r\n220 go\r\n250 injected\r\n", "in the clear after it agreed to TLS"),
        (StartTLS.IMAP, b"", "closes the connection before TLS"),
        (StartTLS.POP3, b"+OK\r\n-ERR no\r\n", "answers '-ERR no'"),
    ],
)
def test_a_peer_that_does_not_turn_to_tls(kind: StartTLS, words: bytes, expected: str, tmp_path: Path) -> None:
    """Said with its own words; what it sends behind its agreement is never taken for TLS (CVE-2021-38371)."""

    def behave(connection: socket.socket) -> None:
        if words:
            connection.sendall(words)
            with contextlib.suppress(OSError):
                until_left(connection)

    with serving(behave) as endpoint:
        found = look(tmp_path, endpoint, "--starttls", kind.value)
    assert found["ending"] == "starttls", found
    assert expected in found["diagnosis"]["happened"]
    assert ("ssl is off in postgresql.conf" in found["diagnosis"]["cause"]) is (words == b"N")


def test_a_peer_that_waits_where_it_should_greet(tmp_path: Path) -> None:
    """As a port does that begins with TLS at once."""
    with serving(until_left) as endpoint:
        found = look(tmp_path, endpoint, "--starttls", "smtp", "--timeout", "1")
    assert (found["ending"], found["stage"]) == ("silent", "starttls")
    assert "leave --starttls out" in found["diagnosis"]["fix"]
