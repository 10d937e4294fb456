"""TLS over a socket with a deadline for the whole, keeping the first bytes that the peer sent.

OpenSSL works on memory, the bytes are carried here: so what a peer answers that speaks no TLS is still at hand, and an
alert of ours is sent before an error is raised.
"""

from __future__ import annotations

import ssl
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from counterseal.handshake.observation import Endpoint

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from counterseal.handshake.connect import Deadline

T = TypeVar("T")
READ_SIZE = 16 * 1024
_OPENING_SIZE = 256


class Stream(ABC):
    """One side of a TLS connection; ``opening`` is what came first, ``ended`` whether the peer has closed.

    What OpenSSL does is up to the two, below and in ``pyopenssl_stream``; either raises the errors of Python's ssl.
    """

    def __init__(self, raw: socket.socket, deadline: Deadline) -> None:
        self._raw = raw
        self._deadline = deadline
        self.opening = b""
        self.ended = False

    def shake_hands(self) -> None:
        """Bring the handshake to its end; raises OSError, of which ssl.SSLError is one."""
        self._run(self._shake_hands)

    def send(self, octets: bytes) -> None:
        """Send application data."""
        self._run(lambda: self._write(octets))

    def receive(self) -> bytes:
        """Return some application data, empty at an orderly end; raises OSError."""
        try:
            return self._run(self._read)
        except ssl.SSLZeroReturnError:
            return b""

    def close(self) -> None:
        """Say close_notify, and do not wait for the peer's."""
        with suppress(OSError, ValueError):
            self._say_goodbye()
        with suppress(OSError):
            self._flush()

    @abstractmethod
    def _shake_hands(self) -> None: ...

    @abstractmethod
    def _write(self, octets: bytes) -> None: ...

    @abstractmethod
    def _read(self) -> bytes: ...

    @abstractmethod
    def _say_goodbye(self) -> None: ...

    @abstractmethod
    def _take_in(self, octets: bytes) -> None:
        """Hand what arrived to OpenSSL, empty when the peer has closed."""

    @abstractmethod
    def _give_out(self) -> bytes:
        """Return what OpenSSL wants to be sent."""

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
        waiting = self._give_out()
        if waiting:
            self._raw.settimeout(self._deadline.remaining())
            self._raw.sendall(waiting)

    def _fill(self) -> None:
        self._raw.settimeout(self._deadline.remaining())
        received = self._raw.recv(READ_SIZE)
        if len(self.opening) < _OPENING_SIZE:
            self.opening += received[: _OPENING_SIZE - len(self.opening)]
        self.ended |= not received
        self._take_in(received)


class ClientStream(Stream):
    """A connection that was made; ``tls`` is OpenSSL's side of it."""

    def __init__(
        self,
        raw: socket.socket,
        deadline: Deadline,
        context: ssl.SSLContext,
        server_name: str | None,
        session: ssl.SSLSession | None = None,
    ) -> None:
        """Prepare the handshake; raises ValueError for a server name that nobody can send."""
        super().__init__(raw, deadline)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name, session=session)

    def _shake_hands(self) -> None:
        self.tls.do_handshake()

    def _write(self, octets: bytes) -> None:
        self.tls.write(octets)

    def _read(self) -> bytes:
        return self.tls.read(READ_SIZE)

    def _say_goodbye(self) -> None:
        self.tls.unwrap()

    def _take_in(self, octets: bytes) -> None:
        if octets:
            self._incoming.write(octets)
        else:
            self._incoming.write_eof()

    def _give_out(self) -> bytes:
        return self._outgoing.read()


def peer_of(raw: socket.socket) -> str | None:
    """Return whom a connection is with, None when it is gone."""
    try:
        host, port = raw.getpeername()[:2]
    except OSError:
        return None
    return str(Endpoint(host, port))
