"""TLS servers that answer every request in a way of the test's choosing, for the client of EST."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from counterseal.agent.address import ServerAddress
from odd_servers import leave, serving

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pki_fixtures import Issued


@contextmanager
def tls_serving(
    directory: Path, chain: tuple[Issued, ...], behave: Callable[[ssl.SSLSocket], None]
) -> Iterator[ServerAddress]:
    """Serve ``chain`` over TLS, one connection after the other, each with ``behave``."""
    certificates, key = directory / "chain.pem", directory / "key.pem"
    certificates.write_bytes(b"".join(one.certificate.public_bytes(Encoding.PEM) for one in chain))
    private = chain[0].private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key.write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates, key)

    def over_tls(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as tls:
            behave(tls)
            leave(tls)

    with serving(over_tls) as endpoint:
        yield ServerAddress(endpoint.host, endpoint.port)


def saying(head: str, body: bytes = b"") -> Callable[[ssl.SSLSocket], None]:
    """Return a server that begins to read a request and answers with this head and body."""

    def behave(connection: ssl.SSLSocket) -> None:
        connection.recv(65_536)
        connection.sendall(
            f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
        )

    return behave
