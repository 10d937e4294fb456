"""pyOpenSSL carried by ``stream``, with the errors of Python's ssl, and every message of its handshake kept.

For what Python's ssl cannot do: name CAs to a client, let through a certificate that does not verify, ask for an OCSP
response. What pyOpenSSL has no call for is OpenSSL's message callback: it is in the bindings that it stands on, under
private names, as it is in Python's ssl (``recorder``).
"""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from OpenSSL import SSL
from OpenSSL._util import ffi, lib

from counterseal.errors import InputError
from counterseal.handshake.trace.stream import READ_SIZE, Stream

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from counterseal.handshake.connect import Deadline
    from counterseal.handshake.observation import TLSVersion
    from counterseal.handshake.trace.recorder import Recorder

_VERSIONS: dict[TLSVersion | None, tuple[int, int]] = {
    None: (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION),
    "1.2": (SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION),
    "1.3": (SSL.TLS1_3_VERSION, SSL.TLS1_3_VERSION),
}
_CUT = "unexpected eof while reading"
_MESSAGE_CALLBACK = "void (*)(int, int, int, const void *, size_t, SSL *, void *)"


def limit_versions(context: SSL.Context, tls_version: TLSVersion | None) -> None:
    """Have ``context`` speak this version alone, or 1.2 and 1.3."""
    least, most = _VERSIONS[tls_version]
    context.set_min_proto_version(least)
    context.set_max_proto_version(most)


class PyOpenSSLStream(Stream):
    """Either side of a connection; the caller sets ``tls`` to connect or to accept before it shakes hands.

    Raises InputError ``trace.unsupported`` where the bindings have no message callback.
    """

    def __init__(self, raw: socket.socket, deadline: Deadline, context: SSL.Context, recorder: Recorder) -> None:
        super().__init__(raw, deadline)
        self._seeing = _record(context, recorder)
        self.tls = SSL.Connection(context, None)

    @property
    def protocol(self) -> str | None:
        """What was chosen by ALPN."""
        return self.tls.get_alpn_proto_negotiated().decode("ascii") or None

    def _shake_hands(self) -> None:
        with _errors_of_ssl():
            self.tls.do_handshake()

    def _write(self, octets: bytes) -> None:
        with _errors_of_ssl():
            self.tls.sendall(octets)

    def _read(self) -> bytes:
        with _errors_of_ssl():
            return self.tls.recv(READ_SIZE)

    def _say_goodbye(self) -> None:
        with _errors_of_ssl():
            self.tls.shutdown()

    def _take_in(self, octets: bytes) -> None:
        if octets:
            self.tls.bio_write(octets)
        else:
            self.tls.bio_shutdown()

    def _give_out(self) -> bytes:
        given = bytearray()
        try:
            while True:
                given += self.tls.bio_read(READ_SIZE)
        except SSL.WantReadError:  # there is no more
            return bytes(given)


def reason_of(error: SSL.Error) -> str:
    """Return OpenSSL's own words for what came first, empty where it has none."""
    queue = error.args[0] if error.args else ()
    return str(queue[0][2]) if isinstance(queue, list) and queue else ""


def _record(context: SSL.Context, recorder: Recorder) -> Callable[..., None]:
    """Have the recorder see each message; what is returned must live as long as the connection does."""
    attach = getattr(lib, "SSL_CTX_set_msg_callback", None)
    if attach is None:
        raise InputError(
            "trace.unsupported",
            "this cryptography cannot show TLS messages: its bindings of OpenSSL have no message callback",
            hint="install the version of cryptography that this version of counterseal was tested with",
        )

    def see(written: int, _version: int, content: int, octets: object, length: int, _tls: object, _arg: object) -> None:
        recorder.see(is_read=not written, content=content, octets=bytes(ffi.buffer(octets, length)))

    callback: Callable[..., None] = ffi.callback(_MESSAGE_CALLBACK, see)
    attach(context._context, callback)  # noqa: SLF001 - pyOpenSSL has no call for it
    return callback


@contextmanager
def _errors_of_ssl() -> Iterator[None]:
    try:
        yield
    except SSL.WantReadError as error:
        raise ssl.SSLWantReadError from error
    except SSL.ZeroReturnError as error:
        raise ssl.SSLZeroReturnError from error
    except SSL.SysCallError as error:
        raise ssl.SSLEOFError(ssl.SSLErrorNumber.SSL_ERROR_EOF, _CUT) from error
    except SSL.Error as error:
        reason = reason_of(error)
        if reason == _CUT:
            raise ssl.SSLEOFError(ssl.SSLErrorNumber.SSL_ERROR_EOF, _CUT) from error
        raise ssl.SSLError(ssl.SSLErrorNumber.SSL_ERROR_SSL, reason) from error
