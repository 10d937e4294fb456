"""Real receivers of reminders on free ports: an HTTP server, and a mail server with or without TLS and log-in."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage
    from pathlib import Path


@dataclass
class Hook:
    """An HTTP server that keeps what is posted; ``status`` is its answer."""

    port: int = 0
    status: int = 204
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def http_receiver(certificate: Path | None = None, key: Path | None = None) -> Iterator[Hook]:
    """Take posts while the block runs; over TLS with a certificate."""
    hook = Hook()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.posts.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(hook.status)
            self.send_header("Location", f"http://127.0.0.1:{hook.port}/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    hook.port = server.server_address[1]
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def endless_receiver(tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Begin an answer that could be of HTTP or of mail, and send an octet now and then, for minutes."""
    over = Event()

    class Receiver(StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.wfile.write(b"220-")
                for _ in range(1_000):
                    self.wfile.write(b"x")
                    if over.wait(0.1):
                        return

    with ThreadingTCPServer(("127.0.0.1", 0), Receiver) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            over.set()
            server.shutdown()
            thread.join()


@dataclass
class Mailbox:
    """A mail server that keeps what it takes: who logged in, each mail, and for whom it took it.

    Of whom it refuses, it says ``answer``.
    """

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    refused: str = ""
    answer: str = "550 no such user"
    receivers: list[list[str]] = field(default_factory=list)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]) -> str:  # noqa: ANN401, N802 - aiosmtpd's
        """Take a receiver, but for the one that is refused."""
        if address == self.refused:
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: ANN401, N802 - aiosmtpd's
        """Take a mail."""
        self.receivers.append(envelope.rcpt_tos)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@contextmanager
def mail_receiver(
    security: str = "none", context: ssl.SSLContext | None = None, password: str = ""
) -> Iterator[Mailbox]:
    """Take mail while the block runs; with a ``password`` only from ``counterseal`` who knows it."""
    box = Mailbox()

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:  # noqa: ANN401 - aiosmtpd's
        assert isinstance(data, LoginPassword)
        box.logins.append(data.login.decode())
        return AuthResult(success=data.password.decode() == password, handled=False)

    more: dict[str, Any] = {"tls_context": context, "require_starttls": True} if security == "starttls" else {}
    more |= {"authenticator": check, "auth_required": security == "starttls"} if password else {}
    more |= {"auth_require_tls": False} if security == "tls" else {}  # the connection is TLS, which it cannot know
    tls = context if security == "tls" else None
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        making = loop.create_server(lambda: SMTP(box, loop=loop, **more), "127.0.0.1", 0, ssl=tls)
        server = loop.run_until_complete(making)
        box.port = server.sockets[0].getsockname()[1]
        thread = Thread(target=loop.run_forever)
        thread.start()
        try:
            yield box
        finally:
            loop.call_soon_threadsafe(server.close)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
