"""The other side: take one connection as a TLS server that asks for a client certificate, and keep what went by.

As nginx does, the handshake is let through whatever certificate comes, and judged afterwards. Nothing is granted by it
but an explanation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from counterseal.handshake.connect import Deadline
from counterseal.handshake.trace.dial import Ending, Stage, Trace
from counterseal.handshake.trace.ending import ending_of
from counterseal.handshake.trace.pyopenssl_stream import PyOpenSSLStream
from counterseal.handshake.trace.recorder import Recorder
from counterseal.handshake.trace.server_context import server_context
from counterseal.handshake.trace.stream import peer_of
from counterseal.handshake.wire.messages import Side

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from cryptography import x509
    from OpenSSL import SSL

    from counterseal.handshake.observation import ProbeIdentity, TLSVersion
    from counterseal.handshake.trace.stream import Stream

_LONGEST_REQUEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Post:
    """Who listens: the server's certificate, the TLS version (None: 1.2 and 1.3), and the seconds for a connection.

    ``authorities`` are the CAs named to clients; none, and a client offers whatever it has.
    """

    identity: ProbeIdentity
    tls_version: TLSVersion | None = None
    timeout: float = 10.0
    authorities: tuple[x509.Certificate, ...] = ()

    def context(self) -> SSL.Context:
        """Return the context of one connection; raises KeyAccessError and InputError for what OpenSSL does not take."""
        return server_context(self.identity, self.authorities, self.tls_version)


def receive(raw: socket.socket, post: Post, answer: Callable[[Trace], bytes]) -> Trace:
    """Shake hands with the client on ``raw``, read its request, answer, and return what was seen.

    ``answer`` makes the HTTP answer out of what was seen until then. Raises InputError and KeyAccessError for what
    the caller handed in; never for what the client does.
    """
    recorder = Recorder(Side.SERVER)
    stream = PyOpenSSLStream(raw, Deadline.after(post.timeout), post.context(), recorder)
    stream.tls.set_accept_state()
    trace = Trace(Ending.DONE, Stage.HANDSHAKE, peer=peer_of(raw))
    try:
        stream.shake_hands()
        trace = replace(trace, stage=Stage.REQUEST, finished_at=recorder.elapsed())
        trace = replace(trace, protocol=stream.protocol, question=_request(stream))
        if trace.question is not None:
            trace = replace(trace, answer=answer(replace(trace, captured=recorder.captured)))
            stream.send(trace.answer)
        stream.close()
    except (OSError, ValueError) as error:
        ending, fault = ending_of(error, trace.stage, stream.opening, recorder.captured, own=Side.SERVER)
        trace = replace(trace, ending=ending, fault=fault)
    return replace(trace, captured=recorder.captured, opening=stream.opening, ended_at=recorder.elapsed())


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
