"""The server's side of a connection: pyOpenSSL carried by ``stream``, with the errors of Python's ssl."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from OpenSSL import SSL

from counterseal.handshake.trace.server_context import reason_of, record
from counterseal.handshake.trace.stream import READ_SIZE, Stream

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from counterseal.handshake.connect import Deadline
    from counterseal.handshake.trace.recorder import Recorder

_CUT = "unexpected eof while reading"


class ServerStream(Stream):
    """A connection that was accepted."""

    def __init__(self, raw: socket.socket, deadline: Deadline, context: SSL.Context, recorder: Recorder) -> None:
        super().__init__(raw, deadline)
        self._seeing = record(context, recorder)
        self._tls = SSL.Connection(context, None)
        self._tls.set_accept_state()

    @property
    def protocol(self) -> str | None:
        """What was chosen by ALPN."""
        return self._tls.get_alpn_proto_negotiated().decode("ascii") or None

    def _shake_hands(self) -> None:
        with _errors_of_ssl():
            self._tls.do_handshake()

    def _write(self, octets: bytes) -> None:
        with _errors_of_ssl():
            self._tls.sendall(octets)

    def _read(self) -> bytes:
        with _errors_of_ssl():
            return self._tls.recv(READ_SIZE)

    def _say_goodbye(self) -> None:
        with _errors_of_ssl():
            self._tls.shutdown()

    def _take_in(self, octets: bytes) -> None:
        if octets:
            self._tls.bio_write(octets)
        else:
            self._tls.bio_shutdown()

    def _give_out(self) -> bytes:
        given = bytearray()
        try:
            while True:
                given += self._tls.bio_read(READ_SIZE)
        except SSL.WantReadError:  # there is no more
            return bytes(given)


@contextmanager
def _errors_of_ssl() -> Iterator[None]:
    try:
        yield
    except SSL.WantReadError as error:
        raise ssl.SSLWantReadError from error
    except SSL.ZeroReturnError as error:
        raise ssl.SSLZeroReturnError from error
    except SSL.SysCallError as error:
        raise ssl.SSLEOFError from error
    except SSL.Error as error:
        reason = reason_of(error)
        if reason == _CUT:
            raise ssl.SSLEOFError from error
        raise ssl.SSLError(ssl.SSLErrorNumber.SSL_ERROR_SSL, reason) from error
