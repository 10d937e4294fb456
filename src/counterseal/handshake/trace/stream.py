"""TLS over a socket with a deadline for the whole, keeping the first bytes that the peer sent.

OpenSSL works on memory, the bytes are carried here: so what a peer answers that speaks no TLS is still at hand, and an
alert of ours is sent before an error is raised.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from counterseal.handshake.observation import Endpoint

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from counterseal.handshake.connect import Deadline

T = TypeVar("T")
_READ_SIZE = 16 * 1024
_OPENING_SIZE = 256


class Stream:
    """One side of a TLS connection; ``opening`` is what came first, ``ended`` whether the peer has closed."""

    def __init__(self, raw: socket.socket, deadline: Deadline) -> None:
        self._raw = raw
        self._deadline = deadline
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self.opening = b""
        self.ended = False

    @property
    def tls(self) -> ssl.SSLObject:
        """OpenSSL's side of the connection, once it has been opened."""
        assert self._tls is not None  # noqa: S101 - every caller opens first
        return self._tls

    def connect(self, context: ssl.SSLContext, server_name: str | None, session: ssl.SSLSession | None = None) -> None:
        """Shake hands as a client; raises OSError, of which ssl.SSLError is one."""
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name, session=session)
        self._run(self.tls.do_handshake)

    def accept(self, context: ssl.SSLContext) -> None:
        """Shake hands as a server; raises OSError."""
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._run(self.tls.do_handshake)

    def send(self, octets: bytes) -> None:
        """Send application data."""
        self._run(lambda: self.tls.write(octets))

    def receive(self) -> bytes:
        """Return some application data, empty at an orderly end; raises OSError."""
        try:
            return self._run(lambda: self.tls.read(_READ_SIZE))
        except ssl.SSLZeroReturnError:
            return b""

    def close(self) -> None:
        """Say close_notify, and do not wait for the peer's."""
        with suppress(OSError, ValueError):
            self.tls.unwrap()
        with suppress(OSError):
            self._flush()

    def _run(self, step: Callable[[], T]) -> T:
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._flush()
                self._fill()
            except ssl.SSLError:
                with suppress(OSError):
                    self._flush()
                raise
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        waiting = self._outgoing.read()
        if waiting:
            self._raw.settimeout(self._deadline.remaining())
            self._raw.sendall(waiting)

    def _fill(self) -> None:
        self._raw.settimeout(self._deadline.remaining())
        received = self._raw.recv(_READ_SIZE)
        if len(self.opening) < _OPENING_SIZE:
            self.opening += received[: _OPENING_SIZE - len(self.opening)]
        if received:
            self._incoming.write(received)
        else:
            self.ended = True
            self._incoming.write_eof()


def peer_of(raw: socket.socket) -> str | None:
    """Return whom a connection is with, None when it is gone."""
    try:
        host, port = raw.getpeername()[:2]
    except OSError:
        return None
    return str(Endpoint(host, port))
