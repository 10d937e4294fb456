"""Which OCSP response a server staples to its certificate, when it is asked for one (RFC 6066 8, RFC 8446 4.4.2.1).

Python's ssl cannot ask, pyOpenSSL can. The answer is read from the messages of the handshake, so it is there whatever
becomes of the connection afterwards, as where a certificate of the client is required. At the edge: it connects.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.handshake.connect import Deadline, connect
from counterseal.handshake.records import AlertError
from counterseal.handshake.trace.connection import SUITES
from counterseal.handshake.trace.recorder import Recorder
from counterseal.handshake.wire.alerts import alert_meaning
from counterseal.handshake.wire.authentication import certificate
from counterseal.handshake.wire.decode import ALERT, HANDSHAKE
from counterseal.handshake.wire.hello import read_extensions
from counterseal.handshake.wire.messages import Side
from counterseal.handshake.wire.numbers import TLS12
from counterseal.handshake.wire.reader import Reader
from counterseal.pki.names import is_ip_address

if TYPE_CHECKING:
    from collections.abc import Iterable

    from counterseal.handshake.observation import TLSVersion
    from counterseal.handshake.trace.dial import Dial
    from counterseal.handshake.wire.decode import Captured

_CERTIFICATE, _SERVER_HELLO_DONE, _CERTIFICATE_STATUS = 11, 14, 22
_STATUS_EXTENSION = 5


@dataclass(frozen=True, slots=True)
class Stapled:
    """The chain that a server sends, each DER, and the OCSP response beside it (DER), None where none came."""

    chain: tuple[bytes, ...] = field(repr=False)
    response: bytes | None = field(repr=False)


def look_for_response(what: Dial) -> Stapled | None:
    """Return what the server sends, in whichever version; None where the peer does not tell, or after STARTTLS."""
    if what.starttls is not None:
        return None
    versions: tuple[TLSVersion, ...] = ("1.2", "1.3")
    for version in versions:
        with suppress(OSError, ValueError, InputError):
            return ask_for_response(replace(what, tls_version=version))
    return None


def ask_for_response(what: Dial) -> Stapled:
    """Return what the server sends when it is asked in ``tls_version``, 1.2 where that is None.

    Raises OSError (TimeoutError past the timeout, AlertError), InputError ``tls.malformed``; ConnectionResetError where
    the server sends anything but its part of a handshake; ValueError for a server name that nobody can send.
    """
    version, recorder = what.tls_version or "1.2", Recorder(Side.CLIENT)
    failure: OSError = ConnectionResetError("it sent no handshake of this version")
    try:
        _shake_hands(what, version, recorder)
    except OSError as error:
        failure = error
    sent = [one for one in recorder.captured if one.sender is Side.SERVER]
    found = _in_tls13(sent) if version == "1.3" else _in_tls12(sent)
    if found is not None:
        return found
    alert = next((one.octets for one in sent if one.content == ALERT), None)
    raise failure if alert is None else AlertError(alert_meaning(alert[-1]).name)


def _shake_hands(what: Dial, version: TLSVersion, recorder: Recorder) -> None:
    from OpenSSL import SSL  # noqa: PLC0415 - few commands need it, and only where a response is asked for

    from counterseal.handshake.trace.pyopenssl_stream import PyOpenSSLStream, limit_versions  # noqa: PLC0415 - same

    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    limit_versions(context, version)
    context.set_cipher_list(f"{SUITES}:@SECLEVEL=0".encode())  # nothing is judged here
    if what.protocols:
        context.set_alpn_protos([protocol.encode() for protocol in what.protocols])
    with connect(what.endpoint, deadline := Deadline.after(what.timeout)) as raw:
        raw.sendall(what.preface)
        stream = PyOpenSSLStream(raw, deadline, context, recorder)
        stream.tls.set_connect_state()
        stream.tls.request_ocsp()
        if what.server_name is not None and not is_ip_address(what.server_name):  # RFC 6066 3
            stream.tls.set_tlsext_host_name(what.server_name.encode("idna"))
        stream.shake_hands()


def _in_tls12(sent: Iterable[Captured]) -> Stapled | None:
    chain: tuple[bytes, ...] = ()
    for kind, body in _messages(sent):
        if kind == _CERTIFICATE:
            chain = certificate(body, TLS12).chain
        elif kind == _CERTIFICATE_STATUS:
            return Stapled(chain, _response(body))
        elif kind == _SERVER_HELLO_DONE:
            return Stapled(chain, None)
    return None


def _in_tls13(sent: Iterable[Captured]) -> Stapled | None:
    body = next((body for kind, body in _messages(sent) if kind == _CERTIFICATE), None)
    if body is None:
        return None
    body.vector(1)
    entries = [(one.vector(3), dict(read_extensions(one))) for one in [body.inner(3)] for _ in one.repeat()]
    held = entries[0][1].get(_STATUS_EXTENSION) if entries else None
    return Stapled(tuple(encoded for encoded, _ in entries), None if held is None else _response(Reader(held)))


def _messages(sent: Iterable[Captured]) -> Iterable[tuple[int, Reader]]:
    return ((one.octets[0], Reader(one.octets[4:])) for one in sent if one.content == HANDSHAKE)


def _response(status: Reader) -> bytes:
    """Return the response in a CertificateStatus, behind its type, which is OCSP."""
    status.take(1)
    return status.vector(3)
