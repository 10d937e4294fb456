"""Stream sites from the command line, on real nginx with a real TCP service behind: proved, revoked, broken."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from command import counterseal
from nginx_process import nginx_binary
from pki_fixtures import make_ca
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.nginx

__all__ = ["nginx_binary"]

SITES = """\
[nginx]
binary = "{nginx}"
[sites.db]
kind = "stream"
server_names = ["db.test"]
listen = ["127.0.0.1:{port}"]
upstream = "127.0.0.1:{service}"
{more}
"""
TLS = """\
[sites.safe]
kind = "stream"
server_names = ["safe.test"]
listen = ["127.0.0.1:{port}"]
upstream = "tls://127.0.0.1:1"
upstream_tls = {{ name = "db.internal", client_certificate = "issued"{trust} }}
allow = {{ groups = ["ops"] }}
"""


class _Shout(StreamRequestHandler):
    """Speaks first, as databases and mail servers do, and answers a line in capitals."""

    def handle(self) -> None:
        self.wfile.write(b"hello\n")
        self.wfile.write(self.rfile.readline().upper())


@pytest.fixture
def service() -> Iterator[int]:
    """Run a TCP service and return its port."""
    with ThreadingTCPServer(("127.0.0.1", 0), _Shout) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Make a CA with one more client CA; stop its nginx in the end."""
    home = tmp_path / "home"
    assert counterseal(home, "init", "--no-passphrase").code == 0
    assert counterseal(home, "ca", "add", "partners", "--purpose", "client").code == 0
    yield home
    counterseal(home, "nginx", "stop")


def deploy(home: Path, nginx: Path, service: int, more: str = "") -> int:
    """Deploy the sites, and return the port of the first."""
    port = free_port()
    (home / "counterseal.toml").write_text(SITES.format(nginx=nginx, port=port, service=service, more=more))
    deployed = counterseal(home, "nginx", "deploy", "--json")
    assert deployed.code == 0, deployed.stderr
    return port


def talk(port: int, certificate: Path | None) -> bytes:
    """Speak with the service as a client; empty when nginx ends the connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate is not None:
        context.load_cert_chain(certificate / "ann.fullchain.pem", certificate / "ann.key.pem")
    with (
        socket.create_connection(("127.0.0.1", port), 10) as raw,
        context.wrap_socket(raw, server_hostname="db.test") as tls,
    ):
        try:
            tls.sendall(b"shout\n")
            return b"".join(iter(lambda: tls.recv(100), b""))
        except (ssl.SSLEOFError, ConnectionError):
            return b""


def rows_of(home: Path) -> list[dict[str, Any]]:
    """Prove, and return all rows."""
    return [row for proof in json.loads(counterseal(home, "prove", "--json").stdout)["proofs"] for row in proof["rows"]]


def test_a_stream_lets_in_who_may_and_locks_out_who_was_revoked(
    home: Path, tmp_path: Path, nginx_binary: Path, service: int
) -> None:
    """A real client reaches the real service, and after revoke returns it does not; a rollback is proved too."""
    port = deploy(home, nginx_binary, service)
    out = tmp_path / "out"
    assert counterseal(home, "client", "ann", "--no-p12", "--out", str(out)).code == 0
    assert talk(port, out) == b"hello\nSHOUT\n"
    assert talk(port, None) == b""
    revoked = counterseal(home, "revoke", "ann", "--json")
    assert revoked.code == 0, revoked.stderr
    assert talk(port, out) == b""
    again = json.loads(counterseal(home, "nginx", "deploy", "--json").stdout)
    kinds = {row["kind"] for row in again["proofs"][0]["rows"] if row["result"] == "passed"}
    assert {"good", "foreign", "other-client-ca", "revoked", "resumption", "resumed-after-revocation"} <= kinds
    assert counterseal(home, "nginx", "rollback").code == 0


@pytest.mark.parametrize("trust", ["", ', trust = "ca.pem"'], ids=["ours", "another CA"])
def test_beside_an_http_site_and_before_a_tls_backend(
    home: Path, tmp_path: Path, nginx_binary: Path, service: int, trust: str
) -> None:
    """One proof for each kind; an allow list, and every impostor that can be played."""
    (home / "ca.pem").write_bytes(make_ca("Another CA").certificate.public_bytes(Encoding.PEM))
    panel = f'[sites.panel]\nserver_names = ["panel.test"]\nlisten = ["127.0.0.1:{free_port()}"]\nroot = "{tmp_path}"\n'
    tls = TLS.format(port=free_port(), trust=trust)
    deploy(home, nginx_binary, service, 'admit = "known"\nrevocation = "map"\n' + tls + panel)
    linted = counterseal(home, "nginx", "lint", str(home / "nginx" / "current" / "nginx.conf"))
    assert linted.code == 0, linted.stdout
    rows = rows_of(home)
    assert {row["site"] for row in rows} == {"db", "safe", "panel"}
    assert all(row["result"] != "failed" for row in rows)
    tried = {row["kind"] for row in rows if row["site"] == "safe" and row["result"] == "passed"}
    expected = {"backend-foreign", "backend-forged", "backend-sees-certificate", "good"}
    assert expected | (set() if trust else {"backend-good", "backend-expired", "backend-revoked"}) <= tried
    assert {row["result"] for row in rows if row["kind"] == "unlisted" and row["site"] == "db"} == {"passed"}


@pytest.mark.parametrize(
    ("old", "new", "kind", "words"),
    [
        ("ssl_session_cache off;", "ssl_session_cache shared:x:1m;", "resumption", "TLS sessions are on"),
        ("ssl_verify_client on;", "ssl_verify_client off;", "good", "the map takes nobody"),
        ('default "unix:/nonexistent/counterseal-refused";', 'default "@prover@";', "revoked", "not in force"),
        (
            'default "unix:/nonexistent/counterseal-refused";',
            'default "@prover@";',
            "no-certificate",
            "whoever connects",
        ),
    ],
    ids=["sessions", "verify off", "map lets in, revoked", "map lets in, no certificate"],
)
def test_a_stream_that_is_broken_fails_its_proof(
    home: Path, nginx_binary: Path, service: int, old: str, new: str, kind: str, words: str
) -> None:
    """Each passes nginx -t; the row and its cause say what is wrong."""
    deploy(home, nginx_binary, service)
    path = (home / "nginx" / "current").resolve() / "stream.conf"
    text = path.read_text().replace(old, new.replace("@prover@", f"unix:{home.resolve()}/nginx/run/1.sock"))
    if "@prover@" in new:
        text = text.replace("ssl_verify_client on;", "ssl_verify_client optional_no_ca;").replace(
            "ssl_crl", "# ssl_crl"
        )
    path.write_text(text)
    os.kill(int((home / "nginx" / "run" / "nginx.pid").read_text()), signal.SIGHUP)
    failed: list[dict[str, Any]] = []
    for _ in range(20):
        failed = [row for row in rows_of(home) if row["result"] == "failed" and row["kind"] == kind]
        if failed:
            break
    assert failed
    assert words in failed[0]["cause"], failed[0]
