"""``counterseal serve`` as a process: its certificate, its limits, its end."""

from __future__ import annotations

import json
import resource
import signal
import socket
import ssl
import subprocess
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from command import counterseal, write_secret
from counterseal.compose.listening import HANDSHAKES
from counterseal.compose.serve import GRACE_SECONDS, HANDSHAKE_SECONDS
from counterseal.service.head import HEAD_LIMIT
from service_process import Running, make_ca, running
from whole_answers import read_answer, read_to_end

if TYPE_CHECKING:
    from collections.abc import Iterator

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return a running service that the tests of this module share."""
    home = tmp_path_factory.mktemp("serve") / "home"
    make_ca(home)
    with running(home) as service:
        yield service


def speak(service: Running, sent: bytes) -> bytes:
    """Send octets over TLS and return all that comes back until the end."""
    parts = urlsplit(service.url)
    context = ssl.create_default_context(cafile=str(service.root))
    with (
        socket.create_connection((parts.hostname, parts.port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=parts.hostname) as tls,
    ):
        tls.sendall(sent)
        received = b""
        while chunk := tls.recv(65_536):
            received += chunk
        return received


def test_it_answers_under_a_certificate_of_its_own_ca(service: Running) -> None:
    """A client that knows the root alone gets through, and the answer carries an id that the log has too."""
    response, body = service.request("GET", "/healthz")
    assert (response.status, json.loads(body)["status"]) == (200, "ok")
    assert service.logged("request", request_id=response.headers["X-Request-Id"])["status"] == 200


@pytest.mark.parametrize(
    ("protocol", "below", "status"), [("ACME", "", 200), ("API", "", 200), ("EST", "/cacerts", 200), ("OCSP", "", 405)]
)
def test_it_says_where_clients_begin(service: Running, protocol: str, below: str, status: int) -> None:
    """OCSP has nothing to show to who only looks."""
    assert service.request("GET", service.entries[protocol] + below)[0].status == status


def test_what_is_not_there_is_a_problem_document(service: Running) -> None:
    """Also a method that a path does not have."""
    response, body = service.request("GET", "/nothing")
    assert (response.status, response.headers["Content-Type"]) == (404, "application/problem+json")
    assert json.loads(body)["status"] == 404
    assert service.request("DELETE", "/healthz")[0].status == 405


def test_a_head_without_end_is_refused(service: Running) -> None:
    """The parser has no limit of its own."""
    answer = speak(service, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * (HEAD_LIMIT + 1))
    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "head",
    [
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc",
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
        b"GET /healthz HTTP/1.1\nHost: x\n\n",
        b"\x16\x03\x01\x00\x05hello",
    ],
    ids=[
        "two lengths",
        "two content-lengths",
        "space before the colon",
        "a folded line",
        "chunked is not last",
        "nearly chunked",
        "a signed length",
        "a negative chunk",
        "NUL",
        "bare LF",
        "TLS inside TLS",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(service: Running, head: bytes) -> None:
    """Of two servers in a row, one would see another request than the other."""
    assert speak(service, head).startswith(b"HTTP/1.1 400 ")


METHODS = ("GET", "HEAD", "POST", "PUT", "CONNECT", "DELETE", "OPTIONS", "PATCH", "TRACE")


@pytest.mark.slow
def test_what_is_no_handshake_is_cut_off(service: Running) -> None:
    """Silence, half a hello, and plain HTTP, which is told to speak TLS, once: each holds an open file, not for long.

    All at once, because each lasts as long as a handshake may.
    """
    parts = urlsplit(service.url)
    with ExitStack() as stack:

        def opened(sent: bytes) -> socket.socket:
            plain = socket.create_connection((parts.hostname, parts.port), timeout=HANDSHAKE_SECONDS + 30)
            stack.enter_context(plain).sendall(sent)
            return plain

        waiting = [opened(b""), opened(b"\x16\x03\x01\x02\x00\x01\x00")]
        for method in METHODS:
            plain = opened(f"{method} /healthz HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            answer = read_answer(plain)
            assert (method, answer.status, b"https://" in answer.body) == (method, 400, True)
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            waiting.append(plain)
        for plain in waiting:
            with suppress(ConnectionResetError):
                assert read_to_end(plain) == b""


def test_who_was_told_to_speak_tls_fills_no_memory(service: Running) -> None:
    """Whatever he goes on to send."""
    parts, before = urlsplit(service.url), service.most_memory
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as plain:
        plain.sendall(b"POST / HTTP/1.1\r\n\r\n")
        assert read_answer(plain).status == 400
        for _ in range(64):
            plain.sendall(bytes(MEGABYTE))
        assert service.request("GET", "/healthz")[0].status == 200
    assert service.most_memory - before < 16 * MEGABYTE


@pytest.mark.slow
def test_handshakes_that_do_not_go_on_make_room(service: Running) -> None:
    """The oldest first, for who comes with a real one; files are held for no more of them than may be."""
    parts = urlsplit(service.url)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 3 * HANDSHAKES), hard))
    try:
        with ExitStack() as stack:
            silent = [
                stack.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=30))
                for _ in range(2 * HANDSHAKES)
            ]
            assert service.request("GET", "/healthz")[0].status == 200
            assert silent[0].recv(1) == b""
            assert len(list(Path(f"/proc/{service.process.pid}/fd").iterdir())) < HANDSHAKES + 100
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_certificate_changes_without_a_dropped_connection(service: Running) -> None:
    """After SIGHUP new handshakes get the new one, and a connection that stands goes on."""
    standing = service.connect()
    standing.request("GET", "/healthz")
    assert standing.getresponse().read()
    before = ssl.get_server_certificate((urlsplit(service.url).hostname or "", urlsplit(service.url).port or 0))
    for name in ("server.key.pem", "server.fullchain.pem"):
        (service.home / "serve" / name).unlink()
    made = counterseal(service.home, "server", "127.0.0.1", "--out", str(service.home / "new"))
    assert made.code == 0, made.stderr
    new = service.home / "new"
    next(new.glob("*.key.pem")).rename(service.home / "serve" / "server.key.pem")
    next(new.glob("*.fullchain.pem")).rename(service.home / "serve" / "server.fullchain.pem")
    service.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 30
    while (
        now := ssl.get_server_certificate((urlsplit(service.url).hostname or "", urlsplit(service.url).port or 0))
    ) == before:
        assert time.monotonic() < deadline, "still the old certificate"
    assert now != before
    standing.request("GET", "/healthz")
    assert standing.getresponse().status == 200
    standing.close()


def test_a_reload_between_two_files_changes_nothing(tmp_path: Path) -> None:
    """With the new certificate and the old key the old ones go on, and with the new key the new ones are served."""
    home, own, later = tmp_path / "home", tmp_path / "own", tmp_path / "later"
    make_ca(home)
    for out in (own, later):
        assert counterseal(home, "server", "127.0.0.1", "--out", str(out)).code == 0
    (certificate,), (key,) = own.glob("*.fullchain.pem"), own.glob("*.key.pem")
    lines = f'certificate = "{certificate}"\ncertificate_key = "{key}"\nnames = ["127.0.0.1"]\n'
    (home / "counterseal.toml").write_text(f"[serve]\n{lines}")

    with running(home) as service:
        host, port = urlsplit(service.url).hostname or "", urlsplit(service.url).port or 0

        def serves(files: Path) -> bool:
            chain = next(files.glob("*.fullchain.pem")).read_text()
            return chain.startswith(ssl.get_server_certificate((host, port)))

        assert serves(own)
        certificate.write_text(next(later.glob("*.fullchain.pem")).read_text())
        service.process.send_signal(signal.SIGHUP)
        service.logged("own certificate not loaded", code="serve.certificate")
        assert not serves(own)  # whose file is the new one now: handshakes go on with the old one
        assert service.request("GET", "/healthz")[0].status == 200
        key.write_text(next(later.glob("*.key.pem")).read_text())
        service.process.send_signal(signal.SIGHUP)
        service.logged("own certificate loaded")
        assert serves(later)


def test_it_stops_when_asked_and_says_so(tmp_path: Path) -> None:
    """SIGTERM ends it with exit code 0, whatever idle clients there are."""
    make_ca(tmp_path / "home")
    with running(tmp_path / "home") as service:
        idle = service.connect()
        idle.request("GET", "/healthz")
        assert idle.getresponse().read()
        began = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began < GRACE_SECONDS / 2  # the idle connection, which does not answer, is cut off
        idle.close()
    assert [line["event"] for line in service.log][-2:] == ["stopping", "stopped"]


def test_a_port_that_is_taken_is_said_clearly(service: Running) -> None:
    """Not as a traceback."""
    port = urlsplit(service.url).port
    taken = f"error: cannot listen on 127.0.0.1:{port}: address already in use"
    ran = counterseal(service.home, "serve", "--listen", f"127.0.0.1:{port}")
    assert ran.code == 1  # not 2, with which the unit would give up: the port may become free
    assert ran.stderr.splitlines()[-2:] == [taken, "hint: choose another --listen, or stop what has it"]
    (service.home / "counterseal.toml").write_text(f'[serve]\nhttp_listen = "127.0.0.1:{port}"\n')
    try:
        ran = counterseal(service.home, "serve", "--listen", "127.0.0.1:0")
    finally:
        (service.home / "counterseal.toml").write_text("")
    assert "hint: choose another http_listen in [serve], or stop what has it" in ran.stderr


def test_it_answers_behind_a_proxy_on_a_unix_socket(tmp_path: Path) -> None:
    """There it needs its public URL, and speaks plain HTTP."""
    home, path = tmp_path / "home", tmp_path / "s"
    make_ca(home)
    refused = counterseal(home, "serve", "--listen", f"unix:{path}")
    assert (refused.code, "public_url" in refused.stderr) == (2, True)
    (home / "counterseal.toml").write_text('[serve]\npublic_url = "https://ca.example.com/"\n')
    with running(home, "--listen", f"unix:{path}") as service:
        assert service.url == "https://ca.example.com"
        curl = ["curl", "-sS", "--unix-socket", str(path), "http://any/healthz"]
        assert json.loads(subprocess.run(curl, check=True, capture_output=True, timeout=30).stdout)["status"] == "ok"


def test_a_wrong_passphrase_ends_it_as_a_wrong_setting_does(tmp_path: Path) -> None:
    """With the exit code after which systemd does not start it again (``RestartPreventExitStatus=``)."""
    write_secret(tmp_path / "right", "correct horse battery\n")
    write_secret(tmp_path / "wrong", "another passphrase\n")
    assert counterseal(tmp_path / "home", "init", "--passphrase-file", str(tmp_path / "right")).code == 0
    ran = counterseal(tmp_path / "home", "serve", "--passphrase-file", str(tmp_path / "wrong"))
    assert (ran.code, "error: the passphrase does not open the key" in ran.stderr) == (2, True), ran.stderr
    unit = counterseal(tmp_path / "home", "serve", "--print-unit").stdout
    assert "\nRestartPreventExitStatus=2\n" in unit


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[serve]\nlisen = "x"\n', "did you mean 'listen'?"),
        ('[serve]\nlisten = "8443"\n', "not an address to listen on: '8443'"),
        ('[serve]\ncertificate = "x.pem"\n', "go together"),
        ('[serve]\npublic_url = "http://x"\n', "must begin with https://"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, said: str) -> None:
    """With what would be right."""
    make_ca(tmp_path / "home")
    (tmp_path / "home" / "counterseal.toml").write_text(text)
    ran = counterseal(tmp_path / "home", "serve")
    assert (ran.code, said in ran.stderr) == (2, True), ran.stderr
