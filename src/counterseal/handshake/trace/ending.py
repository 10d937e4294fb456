"""How a connection ended, in our word and in the system's: an error of Python's, read with what had been seen."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from counterseal.handshake.alert import alert_name
from counterseal.handshake.connect import ResolutionError
from counterseal.handshake.trace.dial import Ending, Stage
from counterseal.handshake.trace.starttls import StartTLSError
from counterseal.handshake.wire.decode import ALERT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from counterseal.handshake.wire.decode import Captured
    from counterseal.handshake.wire.messages import Side

_TLS_CONTENT_TYPES = range(20, 24)  # RFC 8446 5.1
_BY_KIND: tuple[tuple[type[BaseException], Ending], ...] = (  # the special before the general
    (StartTLSError, Ending.STARTTLS),
    (ssl.SSLEOFError, Ending.CLOSED),
    (ssl.SSLZeroReturnError, Ending.CLOSED),
    (ssl.SSLError, Ending.OWN_FAULT),
    (TimeoutError, Ending.SILENT),
    (ConnectionError, Ending.RESET),
)
_UNCONNECTED: tuple[tuple[type[BaseException], Ending], ...] = (
    (ResolutionError, Ending.UNRESOLVED),
    (TimeoutError, Ending.SILENT),
    (ConnectionRefusedError, Ending.REFUSED),
    (OSError, Ending.UNREACHABLE),
)


def ending_of(
    error: OSError | ValueError, stage: Stage, opening: bytes, captured: Iterable[Captured], *, own: Side
) -> tuple[Ending, str]:
    """Return how it ended, and OpenSSL's or the system's reason.

    ``opening`` is what came where TLS was expected. Alerts of our ``own`` side do not count: OpenSSL sends one for a
    connection that was cut, too.
    """
    said = str(getattr(error, "reason", None) or getattr(error, "strerror", None) or error)
    if stage is Stage.CONNECTING:
        return _first(_UNCONNECTED, error), said
    if opening and opening[0] not in _TLS_CONTENT_TYPES:
        return Ending.NOT_TLS, said
    if alert_name(getattr(error, "reason", None)) or any(
        one.sender is not own and _is_fatal_alert(one) for one in captured
    ):
        return Ending.ALERT, said
    return _first(_BY_KIND, error), said


def _first(table: tuple[tuple[type[BaseException], Ending], ...], error: BaseException) -> Ending:
    return next((ending for kind, ending in table if isinstance(error, kind)), Ending.OWN_FAULT)


def _is_fatal_alert(one: Captured) -> bool:
    return one.content == ALERT and one.octets[:1] == b"\x02" and one.octets[1:] != b"\x00"
