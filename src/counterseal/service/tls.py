"""The service's own TLS: a context whose certificate can change under it without a connection being dropped.

It asks every client for a certificate and needs none. One that is shown must be for clients and be signed by a CA that
was given to ``admit_clients``, else the handshake fails; its times are not looked at, because who comes with an expired
one is to be told in words (``authority.holder``), and may be allowed to renew it.
"""

from __future__ import annotations

import os
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from counterseal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

NO_CHECK_TIME = ssl.VerifyFlags(0x200000)
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python has no name for."""


_PLAIN = frozenset({"HTTP_REQUEST", "HTTPS_PROXY_REQUEST"})
"""What OpenSSL calls a handshake that begins with GET, HEAD, POST, PUT or CONNECT."""
_OTHER_METHODS = (b"DELETE ", b"OPTIONS ", b"PATCH ", b"TRACE ")
"""To OpenSSL these are records of an unknown version."""

_WORDS = b"This port speaks HTTPS: write https:// instead of http://\n"
_ANSWER = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_WORDS), _WORDS)
)


class _Talk(ssl.SSLObject):
    """One connection; who speaks plain HTTP is told so in it.

    The answer leaves as octets of a handshake that goes on, so that what the client still sends does not cost it the
    answer; that is thrown away. It ends with the client or, like every handshake, after a few seconds.
    """

    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO
    begin = b""
    is_told = False

    def do_handshake(self) -> None:
        """Go on with the handshake."""
        if self.is_told:
            self.incoming.read()  # else it would fill the memory
            raise ssl.SSLWantReadError
        if not self.begin:
            self.begin = self.incoming.read()
            self.incoming.write(self.begin)
        try:
            super().do_handshake()
        except ssl.SSLError as error:
            if error.reason not in _PLAIN and not self.begin.startswith(_OTHER_METHODS):
                raise
            self.is_told = True
            self.outgoing.write(_ANSWER)
            raise ssl.SSLWantReadError from None


class _Context(ssl.SSLContext):
    sslobject_class = _Talk

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *more: Any, **named: Any) -> ssl.SSLObject:  # noqa: ANN401 - as the class above has it
        """Begin a connection."""
        talk = super().wrap_bio(incoming, outgoing, *more, **named)
        assert isinstance(talk, _Talk)  # noqa: S101 - the class that is said above
        talk.incoming, talk.outgoing = incoming, outgoing
        return talk


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a context for TLS 1.2 and 1.3 that serves this chain; raises InputError ``serve.certificate``."""
    context = _Context(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN | NO_CHECK_TIME
    load_certificate(context, certificate, key)
    return context


def admit_clients(context: ssl.SSLContext, cas: Iterable[bytes]) -> None:
    """Ask clients for a certificate from now on; ``cas`` (DER) are added to those that may have signed it."""
    context.verify_mode = ssl.CERT_OPTIONAL
    if content := b"".join(cas):
        context.load_verify_locations(cadata=content)


def load_certificate(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Serve this chain from the next handshake on; connections that stand are not touched.

    A context is left without a key by a chain that does not fit one, so another takes them first: what cannot be served
    raises InputError ``serve.certificate``, and changes nothing. Both take what was read once.
    """
    try:
        with _in_memory(certificate) as chain, _in_memory(key) as secret:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, secret)
            context.load_cert_chain(chain, secret)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or getattr(error, "reason", None) or str(error)
        raise InputError(
            "serve.certificate",
            f"cannot serve with {certificate} and {key}: {str(reason).lower()}",
            hint="both must be PEM, the key unencrypted and that of the first certificate",
        ) from error


@contextmanager
def _in_memory(path: Path) -> Iterator[str]:
    """Yield the name of a copy of the file in memory, which nobody else replaces; OpenSSL reads files only."""
    descriptor = os.memfd_create(path.name)
    try:
        with os.fdopen(os.dup(descriptor), "wb") as copy:
            copy.write(path.read_bytes())
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
