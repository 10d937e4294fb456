"""Peers that speak no TLS, or stop in the middle: each is said as what it is, within the time."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from typing import TYPE_CHECKING

import pytest

from counterseal.handshake.examine import read_trace
from counterseal.handshake.explain.diagnosis import diagnose
from counterseal.handshake.explain.situation import Situation
from counterseal.handshake.observation import Endpoint
from counterseal.handshake.trace.connection import dial
from counterseal.handshake.trace.dial import Dial, Ending, Stage, StartTLS, Trace
from odd_servers import answering, leave, serving, until_left
from ports import free_port
from prove_pki import certificate_pem, key_pem, prove_pki
from whole_answers import read_octets, read_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE = 30.0
SOON = 1.0
"""For the one that never answers."""
PKI = prove_pki()


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


def look(endpoint: Endpoint, starttls: StartTLS | None = None, timeout: float = PATIENCE) -> tuple[Trace, str]:
    """Return the trace of a connection, and the first words of its explanation."""
    trace = dial(Dial(endpoint, "x.test", "x.test", starttls=starttls, timeout=timeout))
    watched = read_trace(trace)
    found = diagnose(Situation(trace, watched.story, watched.seen))
    return trace, found.happened if found else ""


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
def test_an_odd_peer_is_named(behave: Callable[[socket.socket], None], ending: Ending, words: str) -> None:
    """By what it did."""
    began = time.monotonic()
    with serving(behave) as endpoint:
        trace, said = look(endpoint, timeout=SOON if behave is until_left else PATIENCE)
    assert trace.ending is ending, trace
    assert words in said
    assert time.monotonic() - began < PATIENCE


def test_nobody_listens() -> None:
    """The connection is refused."""
    trace, said = look(Endpoint("127.0.0.1", free_port()))
    assert (trace.ending, said) == (Ending.REFUSED, "the connection is refused")


def test_a_name_with_an_address_where_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is tried, and the dead one told; no resolver that tests can rely on has such a name."""
    monkeypatch.setattr("counterseal.handshake.connect._addresses", lambda *_: ["127.0.0.2", "127.0.0.1"])
    with serving(answering(b"SSH-2.0-OpenSSH_9.2p1\r\n")) as endpoint:
        trace, _ = look(endpoint)
    assert trace.ending is Ending.NOT_TLS
    assert trace.peer == str(endpoint)
    assert trace.passed_over == (f"127.0.0.2:{endpoint.port}: connection refused",)


def test_a_name_that_does_not_resolve() -> None:
    """RFC 6761 keeps .invalid for nobody."""
    trace, said = look(Endpoint("nobody.invalid", 443))
    assert trace.ending in {Ending.UNRESOLVED, Ending.SILENT}
    assert "resolve" in said or "silent" in said


@pytest.fixture
def context(tmp_path: Path) -> ssl.SSLContext:
    """Return a server's side of TLS."""
    path = tmp_path / "server.pem"
    path.write_bytes(certificate_pem(PKI.server, PKI.server_ca) + key_pem(PKI.server))
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(path)
    return made


def mail(context: ssl.SSLContext) -> Callable[[socket.socket], None]:
    """Return a server of SMTP with STARTTLS."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(b"220 mx.example.com ESMTP\r\n")
        read_until(connection, b"\r\n")
        connection.sendall(b"250-mx.example.com\r\n250-SIZE 1000\r\n250 STARTTLS\r\n")
        read_until(connection, b"\r\n")
        connection.sendall(b"220 go ahead\r\n")
        with context.wrap_socket(connection, server_side=True) as secured:
            read_until(secured, b"\r\n")
            secured.sendall(b"250 mx.example.com\r\n")
            leave(secured)

    return behave


def imap(context: ssl.SSLContext) -> Callable[[socket.socket], None]:
    """Return a server of IMAP with STARTTLS."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(b"* OK ready\r\n")
        read_until(connection, b"\r\n")
        connection.sendall(b"a1 OK begin\r\n")
        with context.wrap_socket(connection, server_side=True) as secured:
            read_until(secured, b"\r\n")
            secured.sendall(b"* CAPABILITY IMAP4rev1\r\na2 OK\r\n")
            leave(secured)

    return behave


def postgres(context: ssl.SSLContext) -> Callable[[socket.socket], None]:
    """Return a server of PostgreSQL's SSLRequest."""

    def behave(connection: socket.socket) -> None:
        assert read_octets(connection, 8) == bytes.fromhex("0000000804d2162f")
        connection.sendall(b"S")
        with context.wrap_socket(connection, server_side=True) as secured:
            length = struct.unpack(">I", read_octets(secured, 4))[0]
            assert length == 26
            read_octets(secured, length - 4)
            secured.sendall(b"R\x00\x00\x00\x08\x00\x00\x00\x00")
            leave(secured)

    return behave


@pytest.mark.parametrize(
    ("kind", "server"), [(StartTLS.SMTP, mail), (StartTLS.IMAP, imap), (StartTLS.POSTGRES, postgres)]
)
def test_starttls_leads_to_a_handshake(
    kind: StartTLS, server: Callable[[ssl.SSLContext], Callable[[socket.socket], None]], context: ssl.SSLContext
) -> None:
    """What was said in the clear is kept, and the first words within TLS are answered."""
    with serving(server(context)) as endpoint:
        trace, said = look(endpoint, kind)
    assert (trace.ending, trace.stage, said) == (Ending.DONE, Stage.REQUEST, "")
    assert trace.established
    assert trace.plain
    assert trace.answer


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
    ],
)
def test_a_peer_that_does_not_turn_to_tls(kind: StartTLS, words: bytes, expected: str) -> None:
    """Said with its own words; what it sends behind its agreement is never taken for TLS (CVE-2021-38371)."""

    def behave(connection: socket.socket) -> None:
        if words:
            connection.sendall(words)
            with contextlib.suppress(OSError):
                until_left(connection)

    with serving(behave) as endpoint:
        trace, said = look(endpoint, kind)
    assert trace.ending is Ending.STARTTLS, trace
    assert expected in said
