"""The prover as the application: a Unix socket on which nginx's requests arrive, so that their headers can be read.

A site passes ``/.well-known/counterseal/headers`` to this socket with the same identity headers as to the application.
A request counts only when it carries the nonce of this run. RFC 9112.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import threading
from typing import TYPE_CHECKING, Self

from counterseal.errors import FileError
from counterseal.files import reason_of

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

NONCE_HEADER = "X-Counterseal-Probe"
FORGED_NAMES = (
    "X-SSL-Client-Verify",
    "X-SSL-Client-S-DN",
    "X-SSL-Client-I-DN",
    "X-SSL-Client-Serial",
    "X-SSL-Client-Fingerprint",
    "X-SSL-Client-Cert",
    "X-SSL-Client-DN",
    "X-SSL-Client-CN",
    "X_SSL_Client_Verify",
    "X_SSL_Client_S_DN",
    "SSL-Client-Verify",
    "SSL-Client-S-DN",
    "SSL-Client-Cert",
    "X-Client-Verify",
    "X-Client-DN",
    "Client-Cert",
    "Client-Cert-Chain",
    "X-Forwarded-Client-Cert",
    "X-Forwarded-TLS-Client-Cert",
    "X-Remote-User",
    "Remote-User",
)
"""The headers by which proxies tell applications who the client is, two of them also spelt with underscores."""

_MAXIMUM_HEAD = 64 * 1024
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"
"""What the prover answers as an application, unless it is told another."""
_WORKERS_MAY_CONNECT = 0o666  # workers run as another user; the socket lives as long as the proof and holds no secret


def forged_headers(nonce: str) -> tuple[tuple[str, str], ...]:
    """Return the headers of a client that forges its identity: each value holds ``nonce`` and so is found again."""
    return ((NONCE_HEADER, nonce), *((name, f"forged-{nonce}") for name in FORGED_NAMES))


class ProofUpstream:
    """Listens on ``path`` while the context is entered; ``leaked`` then tells what arrived.

    Entering raises FileError when the socket cannot be made or another proof listens there.
    """

    def __init__(self, path: Path, *, answer: bytes = ANSWER, timeout: float = 5.0) -> None:
        self._path = path
        self._answer = answer
        self._timeout = timeout
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._heads: list[bytes] = []

    def __enter__(self) -> Self:
        try:
            _take_over(self._path)
            self._listener.bind(str(self._path))
            self._path.chmod(_WORKERS_MAY_CONNECT)
            self._listener.listen()
        except OSError as error:
            self._listener.close()
            raise FileError("proof.socket", f"cannot listen on {self._path}: {reason_of(error)}") from error
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def leaked(self, nonce: str) -> tuple[str, ...] | None:
        """Return the names of headers that arrived with the forged value, or None when no request of ``nonce`` did."""
        arrived = [head for head in self._heads if f"{NONCE_HEADER}: {nonce}".lower().encode() in head.lower()]
        if not arrived:
            return None
        lines = (line.partition(b":") for head in arrived for line in head.split(b"\r\n"))
        forged = f"forged-{nonce}".encode()
        return tuple(dict.fromkeys(name.decode("latin-1") for name, _, value in lines if forged in value))

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(self._timeout)
                self._receive(connection)

    def _receive(self, connection: socket.socket) -> None:
        self._heads.append(read_head(connection))
        connection.sendall(self._answer)


def read_head(connection: socket.socket) -> bytes:
    """Return what arrives up to the end of a request's head, or less where it ends before."""
    head = bytearray()
    while b"\r\n\r\n" not in head and len(head) < _MAXIMUM_HEAD:
        received = connection.recv(4096)
        if not received:
            break
        head += received
    return bytes(head)


def _take_over(path: Path) -> None:
    """Remove a socket that nobody listens on any more; raises OSError when somebody does, or it is another file."""
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise FileExistsError(None, "it is not a socket", str(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            os.unlink(path)  # noqa: PTH108 - Path.unlink would do the same
            return
    raise FileExistsError(None, "another proof listens there", str(path))
