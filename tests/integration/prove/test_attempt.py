"""One attempt against servers that behave oddly: always an observation, always within its time."""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import InputError
from counterseal.handshake.attempt import attempt
from counterseal.handshake.observation import Attempt, Endpoint, Observation
from odd_servers import answering, serving, until_left
from prove_pki import certificate_pem, key_pem, prove_pki

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from counterseal.handshake.observation import TLSVersion

PKI = prove_pki()
PATIENCE = 30.0
SOON = 1.0
"""For those that never answer."""


def plain(endpoint: Endpoint, timeout: float = PATIENCE) -> Observation:
    """Ask over plain HTTP."""
    return attempt(Attempt(endpoint, None, "x.test", "/", plain=True, timeout=timeout))


def secured(endpoint: Endpoint, tls_version: TLSVersion = "1.3", timeout: float = PATIENCE) -> Observation:
    """Ask over TLS as a client with a certificate."""
    return attempt(Attempt(endpoint, "x.test", "x.test", "/", tls_version, PKI.leaving, timeout=timeout))


def dripping(connection: socket.socket) -> None:
    """Send one byte after the other, for ever, never ending a line."""
    connection.recv(65536)
    while True:
        connection.sendall(b"H")
        time.sleep(0.05)


def test_a_server_that_says_nothing_is_left_in_time() -> None:
    """While waiting for the answer, and in the handshake."""
    with serving(until_left) as endpoint:
        seen, handshaking = plain(endpoint, SOON), secured(endpoint, timeout=SOON)
    assert seen.error == "no end within 1 s, waiting for the answer"
    assert handshaking.error == "no end within 1 s, in the handshake"
    assert max(seen.seconds, handshaking.seconds) < PATIENCE


def test_a_server_that_drips_is_left_in_time() -> None:
    """Each byte comes early enough, the whole answer never."""
    with serving(dripping) as endpoint:
        seen = plain(endpoint, SOON)
    assert seen.status is None
    assert seen.seconds < PATIENCE


def test_an_endless_body_is_cut() -> None:
    """The status is known, and no more is read than fits."""

    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with serving(behave) as endpoint:
        seen = plain(endpoint)
    assert seen.status == 200
    assert seen.error is None


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"", Observation(closed=True)),
        (b"HTTP/1.1 200", Observation(closed=True, error="not HTTP: b'HTTP/1.1 200'")),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Observation(closed=True, error="not HTTP: b'SSH-2.0-OpenSSH_9.2\\r\\n'")),
    ],
)
def test_what_is_no_answer_is_said(sent: bytes, expected: Observation) -> None:
    """Closed at once, half a line, another protocol."""
    with serving(answering(sent) if sent else lambda _: None) as endpoint:
        seen = plain(endpoint)
    assert (seen.status, seen.closed, seen.error) == (None, True, expected.error)


def test_plain_http_where_tls_was_meant() -> None:
    """The error is the one that the table of causes knows."""
    with serving(answering(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as endpoint:
        seen = secured(endpoint)
    assert "wrong_version_number" in (seen.error or "") or "record_layer_failure" in (seen.error or "")


def test_nothing_listens() -> None:
    """A closed port is an observation, too."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        seen = plain(Endpoint("127.0.0.1", probe.getsockname()[1]))
    assert seen.error == "connecting: connection refused"


def test_a_name_that_cannot_be_resolved() -> None:
    """The resolver's answer is quoted, and it does not hang."""
    seen = plain(Endpoint("name.invalid", 443), SOON)
    assert (seen.error or "").startswith("connecting: ")
    assert seen.seconds < PATIENCE


def tls_server(tmp_path: Path, *, verify: bool) -> Callable[[socket.socket], None]:
    """Return a TLS server that is not nginx: with ``verify`` it refuses unknown clients by an alert."""
    (tmp_path / "server.pem").write_bytes(key_pem(PKI.server) + certificate_pem(PKI.server, PKI.server_ca))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    if verify:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=certificate_pem(PKI.foreign_root).decode())

    def behave(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured_connection:
            secured_connection.recv(65536)
            secured_connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    return behave


@pytest.mark.parametrize("tls_version", ["1.2", "1.3"])
def test_a_server_that_refuses_by_alert(tls_version: TLSVersion, tmp_path: Path) -> None:
    """In TLS 1.3 the alert arrives with the first read, after the handshake seemed done."""
    with serving(tls_server(tmp_path, verify=True)) as endpoint:
        seen = secured(endpoint, tls_version)
    assert seen.alert == "unknown_ca"
    assert seen.status is None


@pytest.mark.parametrize("tls_version", ["1.2", "1.3"])
def test_what_a_handshake_shows(tls_version: TLSVersion, tmp_path: Path) -> None:
    """Version, the server's serial number, that no certificate was asked for, and a session to be offered again."""
    with serving(tls_server(tmp_path, verify=False)) as endpoint:
        first = secured(endpoint, tls_version)
        what = Attempt(endpoint, "x.test", "x.test", "/", tls_version, session=first.session, timeout=PATIENCE)
        second = attempt(what)
    assert (first.status, first.tls_version, first.certificate_requested) == (200, tls_version, False)
    assert first.server_certificate_serial == PKI.server.certificate.serial_number
    assert (first.resumed, second.resumed, second.status) == (False, True, 200)


@pytest.mark.parametrize("text", ["/a b", "/a\r\nX: y", "/\0"])
def test_a_request_that_could_smuggle_is_our_own_fault(text: str) -> None:
    """It is refused before anything is sent."""
    with pytest.raises(InputError, match="space or a line break"):
        attempt(Attempt(Endpoint("127.0.0.1", 1), None, "x.test", text, plain=True))


def test_nothing_secret_is_shown() -> None:
    """Neither keys nor sessions are in a repr."""
    what = Attempt(Endpoint("127.0.0.1", 1), None, "x.test", "/", identity=PKI.leaving)
    assert "PRIVATE" not in repr(what)
    assert "session" not in repr(Observation())
