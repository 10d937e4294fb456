"""Seeing every message of a handshake through the message callback of a TLS context.

OpenSSL's ``SSL_CTX_set_msg_callback`` hands out each handshake message whole and already decrypted. In Python's ssl it
is a private name (``_msg_callback``, there since 3.8); on the server's side it comes from ``pyopenssl_stream``. Of a
ChangeCipherSpec that arrives OpenSSL tells nothing but the header of its record, so that is where it is seen. An
exception in it would surface in the middle of a handshake, so it only keeps bytes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.handshake.wire.decode import ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, Captured

if TYPE_CHECKING:
    import ssl

    from counterseal.handshake.wire.messages import Side

_RECORD_HEADER = 256  # SSL3_RT_HEADER of OpenSSL's ssl3.h
_CHANGE_CIPHER_SPEC_HEADERS = frozenset(bytes([CHANGE_CIPHER_SPEC, 3, minor, 0, 1]) for minor in range(1, 5))
_KEPT = frozenset({CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE})
_MOST_MESSAGES = 1000


class Recorder:
    """Keeps the messages of one connection in their order, at most a thousand of them."""

    def __init__(self, own: Side) -> None:
        self._own = own
        self._started = time.monotonic()
        self._captured: list[Captured] = []

    @property
    def captured(self) -> tuple[Captured, ...]:
        """What has gone by."""
        return tuple(self._captured)

    def elapsed(self) -> float:
        """Return the seconds since the recorder was made."""
        return time.monotonic() - self._started

    def watch(self, context: ssl.SSLContext) -> None:
        """Attach to a context; raises InputError ``trace.unsupported`` where Python has no message callback."""
        if not hasattr(context, "_msg_callback"):
            raise InputError(
                "trace.unsupported",
                "this Python cannot show TLS messages: its ssl module has no message callback",
                hint="use CPython 3.11 or newer",
            )
        context._msg_callback = self._called  # noqa: SLF001 - the one way to see a handshake message

    def see(self, *, is_read: bool, content: int, octets: bytes) -> None:
        """Keep what OpenSSL's message callback tells, if it is a message; never raises."""
        if is_read and content == _RECORD_HEADER and octets in _CHANGE_CIPHER_SPEC_HEADERS:
            content, octets = CHANGE_CIPHER_SPEC, b"\x01"  # what such a record holds, RFC 5246 7.1
        elif content not in _KEPT or (is_read and content == CHANGE_CIPHER_SPEC):
            return
        if len(self._captured) < _MOST_MESSAGES:
            sender = self._own.other if is_read else self._own
            self._captured.append(Captured(self.elapsed(), sender, content, octets))

    def _called(self, _tls: object, direction: str, _version: int, content: int, _kind: int, octets: bytes) -> None:
        self.see(is_read=direction == "read", content=int(content), octets=bytes(octets))
