"""The prover as a backend that speaks TLS: nginx connects to it, and it may be the right one, or an impostor.

A site passes ``/.well-known/counterseal/upstream`` to this socket with the very directives of its real backend. nginx
finishes a handshake with anybody and verifies afterwards, so that an impostor too sees whether nginx showed its own
certificate; whether it also got the request is what matters. RFC 8446, RFC 9113 3.4 for gRPC.
"""

from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.handshake.client_context import load_identity
from counterseal.handshake.connect import Deadline
from counterseal.handshake.observation import BackendSight
from counterseal.handshake.upstream import ANSWER, ProofUpstream, read_head

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from counterseal.handshake.observation import ProbeIdentity

_SECONDS_TO_FINISH = 2.0
_INTERVAL = 0.02
_HTTP2 = b"PRI * HTTP/2.0"
# SETTINGS, its acknowledgement, and HEADERS of stream 1: ":status: 200" from the static table, end of stream.
_HTTP2_ANSWER = bytes.fromhex("00000004000000000000000004010000000000000101050000000188")


@dataclass(slots=True)
class Part:
    """What the prover plays for one attempt, and what it saw; ``done`` is set when the connection has ended."""

    context: ssl.SSLContext
    done: threading.Event
    seen: BackendSight | None = None


def sight_of(parts: Sequence[Part]) -> BackendSight | None:
    """Return what was seen on the socket to which nginx connected, None when on none within two seconds."""
    deadline = Deadline.after(_SECONDS_TO_FINISH)
    with suppress(TimeoutError):
        while not any(part.done.wait(_INTERVAL) for part in parts):
            deadline.remaining()
    return next((part.seen for part in parts if part.seen is not None), None)


class ProofBackend(ProofUpstream):
    """Listens on ``path``; one attempt at a time plays a part. ``client_anchors`` (PEM) verify nginx's certificate."""

    def __init__(
        self, path: Path, *, client_anchors: bytes | None, answer: bytes = ANSWER, timeout: float = 5.0
    ) -> None:
        super().__init__(path, answer=answer, timeout=timeout)
        self._client_anchors = client_anchors
        self._turn = threading.Lock()
        self._part: Part | None = None

    @contextmanager
    def playing(self, identity: ProbeIdentity) -> Iterator[Part]:
        """Be the backend with this certificate while the context is entered; others wait for their turn."""
        part = Part(_server_context(identity, self._client_anchors), threading.Event())
        with self._turn:
            self._part = part
            try:
                yield part
            finally:
                self._part = None

    def _receive(self, connection: socket.socket) -> None:
        part = self._part
        if part is None:
            return
        try:
            part.seen = BackendSight()
            with part.context.wrap_socket(connection, server_side=True) as secured:
                part.seen = replace(part.seen, client_serial=_serial(secured))
                head = read_head(secured)
                part.seen = replace(part.seen, reached=bool(head))
                secured.sendall(_HTTP2_ANSWER if head.startswith(_HTTP2) else self._answer)
        except OSError as error:
            reason = getattr(error, "verify_message", None) or getattr(error, "reason", None) or str(error)
            part.seen = replace(part.seen or BackendSight(), error=str(reason).lower())
        finally:
            part.done.set()


def _server_context(identity: ProbeIdentity, client_anchors: bytes | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.num_tickets = 0
    context.sni_callback = _demand_name
    load_identity(context, identity)
    if client_anchors is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # of a user's certificate only its own chain is known
        context.load_verify_locations(cadata=client_anchors.decode("ascii"))
    return context


def _demand_name(_socket: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int | None:
    """Refuse who names no host (RFC 6066 3), as a backend with several sites does."""
    return None if name else ssl.AlertDescription.ALERT_DESCRIPTION_UNRECOGNIZED_NAME


def _serial(secured: ssl.SSLSocket) -> int | None:
    certificate = secured.getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(certificate).serial_number if certificate else None
