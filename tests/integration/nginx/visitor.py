"""A client that writes its requests by hand, so that server name, host and path are what a test says."""

from __future__ import annotations

import re
import socket
import ssl
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from integration.nginx.lab import authority, key_pem, pem
from whole_answers import read_to_end

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pki_fixtures import Issued

LINE = re.compile(
    r"counterseal: generation=(\d+) site=(\S+) decision=(admitted|refused) code=(\d+) "
    r'verify="([^"]*)" serial=([0-9A-F]*) reused=([r.]?) protocol=(\S*)'
)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, and the machine-readable line of Counterseal in it, if there is one."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def line(self) -> tuple[str, ...]:
        """Generation, site, decision, code, verify, serial, reused, protocol."""
        match = LINE.search(self.body)
        assert match, self.body
        return match.groups()

    @property
    def decision(self) -> str:
        """``admitted`` or ``refused 495``."""
        _, _, decision, code, *_ = self.line
        return decision if decision == "admitted" else f"refused {code}"

    @property
    def title(self) -> str:
        """The heading of the page."""
        match = re.search("<h1>(.*)</h1>", self.body)
        return match[1] if match else ""


@dataclass(frozen=True)
class Visitor:
    """A client on one port, showing ``certificate`` with the CA that issued it, or none."""

    port: int
    certificate: Issued | None = None
    issuer: str | None = "staff"
    server_name: str | None = "panel.test"
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    context: ssl.SSLContext = field(init=False)

    def __post_init__(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False  # some tests send another name, or none
        context.load_verify_locations(cadata=pem(authority("root")).decode())
        context.minimum_version = context.maximum_version = self.version
        if self.certificate is not None:
            with tempfile.NamedTemporaryFile() as file:
                chain = pem(self.certificate, *([authority(self.issuer)] if self.issuer else []))
                file.write(chain + key_pem(self.certificate))
                file.flush()
                context.load_cert_chain(file.name)
        object.__setattr__(self, "context", context)

    def get(self, path: str = "/", *, host: str = "panel.test", headers: Mapping[str, str] | None = None) -> Answer:
        """Make a new connection and one request on it; raises ssl.SSLError where the handshake is refused."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        return self.send(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{lines}\r\n")

    def send(self, request: str, *, session: ssl.SSLSession | None = None) -> Answer:
        """Send a request written by hand."""
        return self.exchange(request, session=session)[0]

    def exchange(
        self, request: str, *, session: ssl.SSLSession | None = None
    ) -> tuple[Answer, ssl.SSLSession | None, bool]:
        """Send a request; returns also the TLS session, to be offered again, and whether it was a resumed one."""
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=30) as plain,
            self.context.wrap_socket(plain, server_hostname=self.server_name, session=session) as tls,
        ):
            tls.sendall(request.encode())
            answer = read_answer(tls)
            return answer, tls.session, bool(tls.session_reused)


def reaches(visitor: Visitor) -> bool:
    """Whether a client of a stream gets an answer of the HTTP service behind it."""
    try:
        with (
            socket.create_connection(("127.0.0.1", visitor.port), timeout=60) as plain,
            visitor.context.wrap_socket(plain, server_hostname=visitor.server_name) as tls,
        ):
            tls.sendall(b"GET /x HTTP/1.0\r\n\r\n")
            return b" 200 " in read_to_end(tls)
    except (ssl.SSLError, ConnectionError):
        return False


def send_plainly(port: int, request: str) -> Answer:
    """Send a request without TLS."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        plain.sendall(request.encode())
        return read_answer(plain)


def read_answer(connection: socket.socket) -> Answer:
    """Read to the end of the connection."""
    head, _, body = read_to_end(connection).decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    fields = (line.partition(": ") for line in lines)
    return Answer(int(first.split()[1]), {name.lower(): value for name, _, value in fields}, body)
