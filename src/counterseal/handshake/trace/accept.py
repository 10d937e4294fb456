"""The other side: take one connection as a TLS server that asks for a client certificate, and keep what went by.

As nginx does, the handshake is let through whatever certificate comes, and judged afterwards: the client's own chain is
trusted for the length of its connection, dates are not looked at. Nothing is granted by it but an explanation. Python's
ssl cannot name CAs in its request, so a client may offer whatever it has, which tells more than a filtered choice.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from counterseal.handshake.client_context import NO_CERTIFICATE_COMPRESSION, load_identity
from counterseal.handshake.connect import Deadline
from counterseal.handshake.trace.dial import Ending, Stage, Trace
from counterseal.handshake.trace.ending import ending_of
from counterseal.handshake.trace.recorder import Recorder
from counterseal.handshake.trace.stream import Stream, peer_of
from counterseal.handshake.wire.decode import HANDSHAKE, decode_all
from counterseal.handshake.wire.messages import Certificate, Side

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from counterseal.handshake.observation import ProbeIdentity, TLSVersion
    from counterseal.handshake.wire.decode import Captured

_LONGEST_REQUEST = 64 * 1024
_CERTIFICATE = 11  # RFC 8446 B.3
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL's x509_vfy.h
_VERSIONS: dict[str | None, tuple[ssl.TLSVersion, ssl.TLSVersion]] = {
    None: (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3),
    "1.2": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2),
    "1.3": (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3),
}


@dataclass(frozen=True, slots=True)
class Post:
    """Who listens: the server's certificate, the TLS version (None: 1.2 and 1.3), and the seconds for a connection."""

    identity: ProbeIdentity
    tls_version: TLSVersion | None = None
    timeout: float = 10.0


def receive(raw: socket.socket, post: Post, answer: Callable[[Trace], bytes]) -> Trace:
    """Shake hands with the client on ``raw``, read its request, answer, and return what was seen.

    ``answer`` makes the HTTP answer out of what was seen until then. Raises InputError and KeyAccessError for what
    the caller handed in; never for what the client does.
    """
    recorder = Recorder(Side.SERVER)
    context = server_context(post)
    recorder.watch(context, lambda captured: _let_through(context, captured))
    stream = Stream(raw, Deadline.after(post.timeout))
    trace = Trace(Ending.DONE, Stage.HANDSHAKE, peer=peer_of(raw))
    try:
        stream.accept(context)
        trace = replace(trace, stage=Stage.REQUEST, finished_at=recorder.elapsed())
        trace = replace(trace, protocol=stream.tls.selected_alpn_protocol(), question=_request(stream))
        if trace.question is not None:
            trace = replace(trace, answer=answer(replace(trace, captured=recorder.captured)))
            stream.send(trace.answer)
        stream.close()
    except (OSError, ValueError) as error:
        ending, fault = ending_of(error, trace.stage, stream.opening, recorder.captured, own=Side.SERVER)
        trace = replace(trace, ending=ending, fault=fault)
    return replace(trace, captured=recorder.captured, opening=stream.opening, ended_at=recorder.elapsed())


def server_context(post: Post) -> ssl.SSLContext:
    """Return the context of one connection; raises KeyAccessError when OpenSSL does not take the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = _VERSIONS[post.tls_version]
    context.set_alpn_protocols(["http/1.1"])
    context.options |= NO_CERTIFICATE_COMPRESSION
    context.options |= ssl.OP_NO_TICKET  # a resumed handshake would have no certificates to explain
    context.num_tickets = 0
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN | ssl.VerifyFlags(_NO_CHECK_TIME)
    load_identity(context, post.identity)
    return context


def _let_through(context: ssl.SSLContext, captured: tuple[Captured, ...]) -> None:
    """Trust what the client has just sent, before OpenSSL looks at it; what cannot be read is left to OpenSSL."""
    newest = captured[-1]
    if newest.content != HANDSHAKE or newest.sender is not Side.CLIENT or newest.octets[:1] != bytes([_CERTIFICATE]):
        return
    message = decode_all(captured)[-1].message
    for encoded in message.chain if isinstance(message, Certificate) else ():
        try:
            context.load_verify_locations(cadata=encoded)
        except (ssl.SSLError, ValueError):
            return


def _request(stream: Stream) -> str | None:
    """Return the first line of an HTTP request, or None when the client closes without one."""
    received = bytearray()
    while b"\r\n\r\n" not in received and len(received) < _LONGEST_REQUEST:
        more = stream.receive()
        if not more:
            break
        received += more
    line = bytes(received).partition(b"\r\n")[0][:200]
    return line.decode("ascii", "backslashreplace") or None
