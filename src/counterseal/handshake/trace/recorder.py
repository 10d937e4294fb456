"""Seeing every message of a handshake through the message callback of a TLS context.

The callback is a private name of Python's ssl module (``_msg_callback``, there since 3.8): it hands out each handshake
message whole and already decrypted, as OpenSSL's ``SSL_CTX_set_msg_callback`` does. An exception in it would surface in
the middle of a handshake, so it only keeps bytes and tells whoever wants to know.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.handshake.wire.decode import ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, Captured

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from counterseal.handshake.wire.messages import Side

_KEPT = frozenset({CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE})
_MOST_MESSAGES = 1000


class Recorder:
    """Keeps the messages of one connection in their order, at most a thousand of them."""

    def __init__(self, own: Side) -> None:
        self._own = own
        self._started = time.monotonic()
        self._captured: list[Captured] = []
        self._then: Callable[[tuple[Captured, ...]], None] = lambda _captured: None

    @property
    def captured(self) -> tuple[Captured, ...]:
        """What has gone by."""
        return tuple(self._captured)

    def elapsed(self) -> float:
        """Return the seconds since the recorder was made."""
        return time.monotonic() - self._started

    def watch(
        self, context: ssl.SSLContext, then: Callable[[tuple[Captured, ...]], None] = lambda _captured: None
    ) -> None:
        """Attach to a context; ``then`` is called after each message, and must not raise.

        Raises InputError ``trace.unsupported`` where Python has no message callback.
        """
        if not hasattr(context, "_msg_callback"):
            raise InputError(
                "trace.unsupported",
                "this Python cannot show TLS messages: its ssl module has no message callback",
                hint="use CPython 3.11 or newer",
            )
        self._then = then
        context._msg_callback = self._see  # noqa: SLF001 - the one way to see a handshake message

    def _see(self, _connection: object, direction: str, _version: int, content: int, _kind: int, octets: bytes) -> None:
        if content in _KEPT and len(self._captured) < _MOST_MESSAGES:
            sender = self._own if direction == "write" else self._own.other
            self._captured.append(Captured(self.elapsed(), sender, int(content), bytes(octets)))
            self._then(self.captured)
