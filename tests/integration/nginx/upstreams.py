"""An upstream that tells what reached it: the raw path and every header."""

from __future__ import annotations

import json
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn, UnixStreamServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class _Echo(BaseHTTPRequestHandler):
    """Answers every request with what it saw.

    ``/x-accel?`` asks nginx to go to the path in the query instead; ``/status/404`` answers with that status.
    """

    def do_GET(self) -> None:
        """Answer as JSON."""
        saw: dict[str, object] = {"path": self.path, "headers": [[k.lower(), v] for k, v in self.headers.items()]}
        if isinstance(self.connection, ssl.SSLSocket):
            saw["certificate"] = self.connection.getpeercert()
            saw["connection"] = self.client_address[1]
        body = json.dumps(saw).encode()
        self.send_response(int(self.path.rpartition("/")[2]) if "/status/" in self.path else 200)
        if self.path.startswith("/x-accel?"):
            self.send_header("X-Accel-Redirect", self.path.partition("?")[2])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        """Return no address: a Unix socket has none."""
        return ""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Say nothing."""


class _Keeping(_Echo):
    """Keeps its connections, and tells each which it is."""

    protocol_version = "HTTP/1.1"


class _TCP(ThreadingMixIn, TCPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: that nginx leaves an impostor is meant."""


class _Unix(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


@contextmanager
def echo(path: Path | None = None, *, tls: ssl.SSLContext | None = None, keeps: bool = False) -> Iterator[str]:
    """Run the upstream on a Unix socket, or on a port that the kernel gives; yields its name as a site has it."""
    server = _Unix(str(path), _Echo) if path else _TCP(("127.0.0.1", 0), _Keeping if keeps else _Echo)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"unix:{path}" if path else f"127.0.0.1:{server.socket.getsockname()[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
