"""What answers the challenges in tests: a web server, and a TLS server that speaks acme-tls/1."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from threading import Thread
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ObjectIdentifier

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

WELL_KNOWN = "/.well-known/acme-challenge/"


@dataclass
class Web:
    """A web server: ``pages`` by path, each a body or (status, headers, body); a callable writes by itself."""

    port: int = 0
    pages: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def put(self, token: str, key_authorization: str) -> None:
        """Lay out a key authorization."""
        self.pages[WELL_KNOWN + token] = key_authorization.encode()


def _handler(web: Web) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.asked.append((self.headers["host"] or "", self.path))
            page = web.pages.get(self.path)
            if callable(page):
                page(self.wfile)
                return
            status, headers, body = page if isinstance(page, tuple) else (200 if page is not None else 404, {}, page)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def web_server(context: ssl.SSLContext | None = None, *, port: int = 0) -> Iterator[Web]:
    """Serve on a free port, or this one, while the block runs; with a context over TLS."""
    web = Web()
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(web))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that hangs up is expected
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    web.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def of_unknown_version(certificate: bytes) -> bytes:
    """Return a certificate in DER, but of a version that there is not (RFC 5280 4.1.2.1)."""
    version = certificate.index(bytes.fromhex("a003020102"))
    return certificate[: version + 4] + b"\x09" + certificate[version + 5 :]


def acme_certificate(
    names: list[str],
    key_authorization: str,
    directory: Path,
    *,
    critical: bool = True,
    change: Callable[[bytes], bytes] = lambda octets: octets,
) -> Path:
    """Write the certificate and key of tls-alpn-01 (RFC 8737 3) into one file and return it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([])
    general = [
        x509.IPAddress(ip_address(one)) if one.replace(".", "").isdigit() else x509.DNSName(one) for one in names
    ]
    digest = b"\x04\x20" + sha256(key_authorization.encode()).digest()
    identifier = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.5.5.7.1.31"), change(digest))
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(general), critical=True)
        .add_extension(identifier, critical=critical)
        .sign(key, hashes.SHA256())
    )
    path = directory / "acme.pem"
    path.write_bytes(
        certificate.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return path
