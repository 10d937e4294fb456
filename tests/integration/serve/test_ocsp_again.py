"""The same question again, octet for octet: answered without being read, and never with what is no longer so."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from contextlib import closing
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import ocsp

from counterseal.compose.place import store_path
from counterseal.store.sqlite import open_store
from integration.serve.test_ocsp import GOOD, REVOKED, Lab, request_of, serve_with_ocsp, visit
from integration.serve.test_publication import configuration
from nginx_process import nginx_binary, private_nginx
from service_process import SECONDS, make_ca, running
from store_fixtures import NOW, certificate
from whole_answers import WholeAnswer, read_answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nginx_process import PrivateNginx

__all__ = ["nginx_binary", "private_nginx"]

SERIALS = range(1, 41)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Return a running service with metrics that the tests of this module share."""
    directory = tmp_path_factory.mktemp("again")
    make_ca(directory / "home", configuration() + 'metrics_listen = "127.0.0.1:0"\n')
    with running(directory / "home", "--name", "127.0.0.1") as service:
        yield Lab(service, directory)


@dataclass
class Line:
    """One kept connection, on which octets are sent as they are."""

    connection: socket.socket

    @classmethod
    def to(cls, lab: Lab) -> Line:
        """Connect to the responder."""
        host, _, port = (lab.service.http_address or "").rpartition(":")
        return cls(socket.create_connection((host, int(port)), timeout=SECONDS))

    def close(self) -> None:
        """Close it."""
        self.connection.close()

    def ask(self, *pieces: bytes) -> tuple[WholeAnswer, ocsp.OCSPResponse]:
        """Send the pieces one by one and return the answer."""
        for piece in pieces:
            self.connection.sendall(piece)
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.read()

    def read(self) -> tuple[WholeAnswer, ocsp.OCSPResponse]:
        """Return the next answer."""
        answer = read_answer(self.connection)
        assert answer.status == 200
        return answer, ocsp.load_der_ocsp_response(answer.body)


def head_of(client: str, fields: str) -> bytes:
    """Return the head of a request for OCSP as one kind of client has it."""
    return f"POST /ocsp/clients HTTP/1.1\r\nHost: x\r\nUser-Agent: {client}\r\n{fields}\r\n\r\n".encode()


def question(lab: Lab, serial_number: int, client: str = "one", nonce: bytes | None = None) -> bytes:
    """Return the whole HTTP request that asks about a client certificate."""
    body = request_of(serial_number, lab.ca(), SHA256(), nonce)
    return head_of(client, f"Content-Length: {len(body)}") + body


def is_short(response: WholeAnswer) -> bool:
    """Whether it was answered the short way: what went the usual way has an id that leads to a line in the log."""
    return response.headers["X-Request-Id"] is None


def answered(lab: Lab) -> tuple[float, float]:
    """Return how many requests for OCSP, and how many good answers, the service has counted."""
    with urlopen(f"http://{lab.service.metrics_address}/metrics", timeout=SECONDS) as page:
        lines = dict(line.rsplit(" ", 1) for line in page.read().decode().splitlines() if not line.startswith("#"))
    requests = lines.get('counterseal_http_requests_total{face="ocsp",status="200"}', "0")
    return float(requests), float(lines.get('counterseal_ocsp_answers_total{status="good"}', "0"))


def test_the_second_time_is_the_short_way_until_it_is_revoked(lab: Lab) -> None:
    """On one connection and on another; counted all the same; the revocation counts with the next request."""
    alice = lab.client("alice")
    asked, before = question(lab, alice.serial_number), answered(lab)
    with closing(Line.to(lab)) as first, closing(Line.to(lab)) as second:
        usual, answer = first.ask(asked)
        assert (is_short(usual), answer.certificate_status) == (False, GOOD)
        for line in (first, second, first):
            again, same = line.ask(asked)
            assert (is_short(again), same.signature) == (True, answer.signature)
            names = ("Content-Type", "Content-Length", "Cache-Control")
            assert [again.headers[name] for name in names] == [usual.headers[name] for name in names]
        assert [after - count for after, count in zip(answered(lab), before, strict=True)] == [4, 4]
        lab.revoke("alice", "key_compromise")
        changed, answer = second.ask(asked)
        assert (is_short(changed), answer.certificate_status) == (False, REVOKED)
        assert second.ask(asked)[1].certificate_status is REVOKED


def test_what_does_not_come_whole_and_alone_goes_the_usual_way(lab: Lab) -> None:
    """In two pieces, two in one piece, or after the beginning of another request."""
    asked = question(lab, lab.client("bob").serial_number, "two")
    with closing(Line.to(lab)) as line:
        assert not is_short(line.ask(asked)[0])
        assert is_short(line.ask(asked)[0])
        line.connection.sendall(asked + asked)
        assert [is_short(line.read()[0]) for _ in range(2)] == [False, False]
        assert is_short(line.ask(asked)[0])
    with closing(Line.to(lab)) as line:
        line.connection.sendall(head_of("two", f"Content-Length: {len(asked)}"))
        _, answer = line.ask(asked)  # it is the body of that head, and no request for OCSP
        assert answer.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_another_body_behind_the_same_head_is_the_short_way(lab: Lab) -> None:
    """Each is read and answered for itself: another nonce, another certificate, a revoked one."""
    eve, mallory = (lab.client(name).serial_number for name in ("eve", "mallory"))
    lab.revoke("mallory", "superseded")
    with closing(Line.to(lab)) as line:
        seen = set()
        for number, octet in enumerate(b"abc"):
            nonce = bytes([octet]) * 32
            answered, answer = line.ask(question(lab, eve, "three", nonce))
            assert (is_short(answered), answer.certificate_status, answer.serial_number) == (number > 0, GOOD, eve)
            assert answer.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == nonce
            assert answered.headers["Cache-Control"] == "no-store"
            seen.add(answer.signature)
        assert len(seen) == 3
        answered, answer = line.ask(question(lab, mallory, "three", bytes(32)))
        assert (is_short(answered), answer.certificate_status, answer.serial_number) == (True, REVOKED, mallory)
        unknown, answer = line.ask(question(lab, mallory ^ 1, "three", bytes(32)))
        assert (is_short(unknown), answer.certificate_status) == (False, ocsp.OCSPCertStatus.UNKNOWN)


def test_where_a_body_ends_is_what_the_head_says(lab: Lab) -> None:
    """One that is longer, shorter or none at all is no answer to what was not asked."""
    asked = question(lab, lab.client("frank").serial_number, "four")
    body = asked.partition(b"\r\n\r\n")[2]
    malformed = asked[: -len(body)] + bytes(len(body))
    with closing(Line.to(lab)) as line:
        assert not is_short(line.ask(asked)[0])
        answered, answer = line.ask(malformed)
        assert (is_short(answered), answer.response_status.name) == (False, "MALFORMED_REQUEST")
        for at in (40, 41):  # where chunks end, the head does not say
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:at], body[at:], b""))
            answered, answer = line.ask(head_of("four", "Transfer-Encoding: chunked") + chunks)
            assert (is_short(answered), answer.certificate_status) == (False, GOOD)
        line.connection.sendall(asked[:-40])
        answered, answer = line.ask(asked[-40:])
        assert answer.certificate_status is GOOD
        line.connection.sendall(asked + asked[:60])
        assert line.read()[1].certificate_status is GOOD
        assert line.ask(asked[60:])[1].certificate_status is GOOD


def test_no_answer_is_older_than_a_revocation(lab: Lab) -> None:
    """Another process revokes one after the other; who asks after a commit is told so, whatever was told before."""
    committed, told = Event(), []

    def ask_on(asked: bytes) -> None:
        with closing(Line.to(lab)) as line:
            while True:
                is_revoked = committed.is_set()
                status = line.ask(asked)[1].certificate_status
                if is_revoked:
                    told.append(status)
                    return

    with open_store(store_path(lab.service.home)) as store:
        store.adopt([(certificate(number, not_after=4_000_000_000), None) for number in SERIALS])
        for number in SERIALS:
            committed.clear()
            asking = [Thread(target=ask_on, args=(question(lab, number),)) for _ in range(3)]
            for thread in asking:
                thread.start()
            store.revoke(number, at=NOW, reason="superseded", crl_entry=b"")
            committed.set()
            for thread in asking:
                thread.join()
    assert told == [REVOKED] * 3 * len(SERIALS)


@pytest.mark.nginx
def test_nginx_with_our_responder_slow_and_down(tmp_path: Path, private_nginx: PrivateNginx) -> None:
    """A client waits for a slow one, is refused without one, and is let in again when it is back."""
    home = tmp_path / "home"
    make_ca(home, configuration())
    with running(home, "--name", "127.0.0.1") as service:
        lab = Lab(service, tmp_path)
        lab.client("carol")
        port = serve_with_ocsp(lab, private_nginx, "leaf", "/ocsp/clients")
        assert visit(lab, "carol", port) == "200"
        os.kill(service.process.pid, signal.SIGSTOP)
        try:
            command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", str(service.root)]
            own = tmp_path / "carol"
            command += ["--cert", str(next(own.glob("*.fullchain.pem"))), "--key", str(next(own.glob("*.key.pem")))]
            waiting = subprocess.Popen([*command, f"https://127.0.0.1:{port}/"], stdout=subprocess.PIPE, text=True)
            with pytest.raises(subprocess.TimeoutExpired):
                waiting.wait(1)  # no answer, so not yet let in
        finally:
            os.kill(service.process.pid, signal.SIGCONT)
        assert waiting.communicate(timeout=SECONDS)[0] == "200"
    assert visit(lab, "carol", port) == "400"
    assert "OCSP responder" in private_nginx.log()
    with running(home, "--name", "127.0.0.1"):
        assert visit(lab, "carol", port) == "200"


@pytest.mark.nginx
def test_stapling_does_not_wait_for_our_responder(tmp_path: Path, private_nginx: PrivateNginx) -> None:
    """Slow or down: the handshake goes on without an answer, which the browser may ask for itself."""
    home = tmp_path / "home"
    make_ca(home, configuration())
    with running(home, "--name", "127.0.0.1") as service:
        lab = Lab(service, tmp_path)
        port = serve_with_ocsp(lab, private_nginx, "off", "/ocsp", "ssl_verify_client off; ssl_stapling on;")
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-status", "-CAfile", str(service.root)]

        def handshake() -> str:
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS, input="")
            assert "Verify return code: 0" in done.stdout
            return done.stdout

        os.kill(service.process.pid, signal.SIGSTOP)
        try:
            assert "no response sent" in handshake()
            assert "no response sent" in handshake()
        finally:
            os.kill(service.process.pid, signal.SIGCONT)
        private_nginx.wait_for(lambda: "Cert Status: good" in handshake(), "an answer to be stapled")
    assert "Cert Status: good" in handshake()  # nginx keeps the answer while it is valid
