"""What a revoked client still has in hand: kept-alive connections and running streams, and when they end."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from command import counterseal
from ports import free_port
from whole_answers import read_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.nginx

BOUND = 3
SLACK = 20.0  # a busy machine: seconds on top of the bound, far below the 30 that a longer bound would give
SITE = """\
[nginx]
worker_shutdown_timeout = "{bound}s"

[sites.panel]
server_names = ["panel.test"]
listen = ["127.0.0.1:{port}"]
upstream = "127.0.0.1:{upstream}"
"""


class Ticking(BaseHTTPRequestHandler):
    """``/ticks`` never ends; nor does what a request to upgrade becomes; the rest is answered at once."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer, or tick until somebody goes."""
        if self.headers.get("Upgrade"):
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "upgrade")
            self.end_headers()
            self._tick(b"%s")
        elif self.path == "/ticks":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.send_header("X-Accel-Buffering", "no")
            self.end_headers()
            self._tick(b"1\r\n%s\r\n")
        else:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

    def _tick(self, form: bytes) -> None:
        with suppress(OSError):
            while True:
                self.wfile.write(form % b".")
                self.wfile.flush()
                time.sleep(0.05)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Say nothing."""


@contextmanager
def application() -> Iterator[int]:
    """Run the application on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ticking)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """Return home and port of a site with that application behind it; alice has a certificate."""
    home = tmp_path / "home"
    port = free_port()
    with application() as upstream:
        assert counterseal(home, "init", "--no-passphrase").code == 0
        (home / "counterseal.toml").write_text(SITE.format(bound=BOUND, port=port, upstream=upstream))
        assert counterseal(home, "client", "alice", "--no-p12", "--out", str(tmp_path / "out")).code == 0
        deployed = counterseal(home, "nginx", "deploy")
        assert deployed.code == 0, deployed.stderr
        yield home, port
        counterseal(home, "nginx", "stop")


def ask(tmp_path: Path, port: int, path: str, version: ssl.TLSVersion, *headers: str) -> tuple[ssl.SSLSocket, int]:
    """Connect as alice, send a request, and return the connection and the status of the answer."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection = tls(tmp_path, version).wrap_socket(raw, server_hostname="panel.test")
    connection.sendall("\r\n".join([f"GET {path} HTTP/1.1", "Host: panel.test", *headers, "", ""]).encode())
    first = read_until(connection, b"\r\n")
    return connection, int(first.split()[1])


def tls(tmp_path: Path, version: ssl.TLSVersion) -> ssl.SSLContext:
    """Return what alice connects with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(tmp_path / "out" / "alice.fullchain.pem", tmp_path / "out" / "alice.key.pem")
    return context


def seconds_until_it_ends(connection: ssl.SSLSocket) -> float:
    """Read until the other side has closed, and return how long that took."""
    began = time.monotonic()
    with suppress(OSError):
        while connection.recv(4096):
            pass
    connection.close()
    return time.monotonic() - began


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_what_a_revoked_client_has_open_ends_within_the_bound(
    served: tuple[Path, int], tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """An idle connection at once; an endless download and a websocket when the old worker's time is up.

    Then a connection, too, on which nothing was said yet: until then it belongs to the old worker, with the old lists.
    """
    home, port = served
    quiet = socket.create_connection(("127.0.0.1", port), timeout=30)
    idle, first = ask(tmp_path, port, "/", version)
    stream, second = ask(tmp_path, port, "/ticks", version)
    upgraded, third = ask(tmp_path, port, "/ws", version, "Upgrade: websocket", "Connection: Upgrade")
    assert (first, second, third) == (200, 200, 101)
    began = time.monotonic()
    revoked = counterseal(home, "revoke", "alice")
    assert revoked.code == 0, revoked.stderr
    took = time.monotonic() - began
    told = f"old workers still serve what was connected before, for {BOUND} s at most, revoked clients too"
    assert told in revoked.stderr
    ends = [seconds_until_it_ends(connection) for connection in (idle, stream, upgraded)]
    print(f"revoked in {took:.1f} s; idle, stream, websocket ended {ends} s later")  # noqa: T201 - the figures
    assert ends[0] < 1
    assert sum(ends) < BOUND + SLACK
    assert took + sum(ends) > BOUND / 2  # they were running, and ended by the bound and not by accident
    with pytest.raises(OSError, match=r"EOF|reset|Broken pipe"):
        tls(tmp_path, version).wrap_socket(quiet, server_hostname="panel.test")
    again, status = ask(tmp_path, port, "/", version)
    again.close()
    assert status == 400
