"""Which OCSP response a server staples to its certificate, when it is asked for one (RFC 6066 8).

Python's ssl cannot ask. So OpenSSL's own ClientHello for TLS 1.2 is sent with the request added, and what
the server answers is read up to ServerHelloDone, which all travels in the clear; then the connection is left. At the
edge: it connects.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.handshake.client_context import client_context
from counterseal.handshake.connect import Deadline, connect
from counterseal.handshake.wire.alerts import alert_meaning
from counterseal.handshake.wire.authentication import certificate
from counterseal.handshake.wire.decode import ALERT, HANDSHAKE
from counterseal.handshake.wire.numbers import TLS12
from counterseal.handshake.wire.reader import Reader

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from counterseal.handshake.trace.dial import Dial

_STATUS_REQUEST = bytes.fromhex("0005 0005 01 0000 0000")  # by OCSP, from any responder, without extensions
_CERTIFICATE, _SERVER_HELLO_DONE, _CERTIFICATE_STATUS = 11, 14, 22
_MOST_OCTETS = 256 * 1024


class AlertError(ConnectionError):
    """The server ended the handshake with an alert, by this name."""

    def __init__(self, alert: str) -> None:
        super().__init__(f"alert {alert}")
        self.alert = alert


@dataclass(frozen=True, slots=True)
class Stapled:
    """The chain that a server sends, each DER, and the OCSP response beside it (DER), None where none came."""

    chain: tuple[bytes, ...] = field(repr=False)
    response: bytes | None = field(repr=False)


def is_stapled(what: Dial) -> bool | None:
    """Return whether a response comes; None where the peer does not tell: without TLS 1.2, or after STARTTLS."""
    if what.starttls is not None:
        return None
    try:
        return ask_for_response(what).response is not None
    except (OSError, InputError):
        return None


def ask_for_response(what: Dial) -> Stapled:
    """Return what the server sends when it is asked in TLS 1.2.

    Raises OSError (TimeoutError past the timeout, AlertError), InputError ``tls.malformed``; ConnectionResetError where
    the server sends anything but its part of a handshake.
    """
    chain: tuple[bytes, ...] = ()
    with connect(what.endpoint, deadline := Deadline.after(what.timeout)) as raw:
        raw.sendall(what.preface + _asking(_client_hello(what)))
        for kind, body in _messages(raw, deadline):
            if kind == _CERTIFICATE:
                chain = certificate(Reader(body), TLS12).chain
            elif kind == _CERTIFICATE_STATUS:
                return Stapled(chain, Reader(body[1:]).vector(3))  # behind the type, which is OCSP
            elif kind == _SERVER_HELLO_DONE:
                return Stapled(chain, None)
    raise ConnectionResetError("it sent no handshake of TLS 1.2")


def _client_hello(what: Dial) -> bytes:
    """Return the body of a ClientHello as OpenSSL makes it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = client_context("1.2", protocols=what.protocols)
    tls = context.wrap_bio(incoming, outgoing, server_hostname=what.server_name)
    with suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    record = Reader(outgoing.read())
    record.take(3)
    message = record.inner(2)
    message.take(1)
    return message.vector(3)


def _asking(body: bytes) -> bytes:
    """Return a record with the ClientHello in ``body``, and a request for an OCSP response among its extensions."""
    reader = Reader(body)
    reader.take(2 + 32)  # version and random
    for size in (1, 2, 1):  # session, cipher suites, compression
        reader.vector(size)
    head = body[: len(body) - reader.left]
    message = head + _vector(reader.vector(2) + _STATUS_REQUEST, 2)
    return b"\x16\x03\x01" + _vector(b"\x01" + _vector(message, 3), 2)


def _vector(octets: bytes, size: int) -> bytes:
    return len(octets).to_bytes(size, "big") + octets


def _messages(raw: socket.socket, deadline: Deadline) -> Iterator[tuple[int, bytes]]:
    """Yield type and body of each handshake message that arrives, until something else does."""
    waiting = bytearray()
    taken = 0
    while taken < _MOST_OCTETS:
        record = Reader(_take(raw, 5, deadline))
        content, _, length = record.number(1), record.number(2), record.number(2)
        if content not in {HANDSHAKE, ALERT}:
            return
        fragment = _take(raw, length, deadline)
        if content == ALERT:
            raise AlertError(alert_meaning(fragment[-1]).name)
        waiting += fragment
        taken += length
        while len(waiting) >= 4 and len(waiting) >= (end := 4 + int.from_bytes(waiting[1:4], "big")):  # noqa: PLR2004 - type and length
            yield waiting[0], bytes(waiting[4:end])
            del waiting[:end]


def _take(raw: socket.socket, size: int, deadline: Deadline) -> bytes:
    taken = bytearray()
    while len(taken) < size:
        raw.settimeout(deadline.remaining())
        more = raw.recv(size - len(taken))
        if not more:
            raise ConnectionResetError
        taken += more
    return bytes(taken)
