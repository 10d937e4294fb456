"""TLS records over a socket without OpenSSL: a handshake message sent, and those that come back in the clear.

For connections that are left before the handshake ends, and so need no keys (RFC 8446 5.1). At the edge: it reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.handshake.wire.alerts import alert_meaning
from counterseal.handshake.wire.decode import ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE
from counterseal.handshake.wire.reader import vector

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator

    from counterseal.handshake.connect import Deadline

Record = tuple[int, bytes]
_APPLICATION_DATA = 23
_CONTENTS = frozenset({CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, _APPLICATION_DATA})
_MOST_OCTETS = 256 * 1024


class AlertError(ConnectionError):
    """The server ended the handshake with an alert, by this name."""

    def __init__(self, alert: str) -> None:
        super().__init__(f"alert {alert}")
        self.alert = alert


def record_of(message: bytes) -> bytes:
    """Return the record of a handshake message, as the first one of a connection is sent."""
    return bytes([HANDSHAKE]) + b"\x03\x01" + vector(message, 2)


def messages_in(records: Iterable[Record]) -> Iterator[bytes]:
    """Yield each handshake message that arrives, with its header, until something else does."""
    waiting = bytearray()
    for content, fragment in records:
        if content == ALERT and fragment:
            raise AlertError(alert_meaning(fragment[-1]).name)
        if content != HANDSHAKE:
            return
        waiting += fragment
        while len(waiting) >= 4 and len(waiting) >= (end := 4 + int.from_bytes(waiting[1:4], "big")):  # noqa: PLR2004 - type and length
            yield bytes(waiting[:end])
            del waiting[:end]


def read_records(raw: socket.socket, deadline: Deadline) -> Iterator[Record]:
    """Yield content type and content of each record, up to what is no record of TLS."""
    taken = 0
    while taken < _MOST_OCTETS:
        header = _take(raw, 5, deadline)
        if header[0] not in _CONTENTS:
            return
        fragment = _take(raw, int.from_bytes(header[3:], "big"), deadline)
        taken += len(fragment)
        yield header[0], fragment


def _take(raw: socket.socket, size: int, deadline: Deadline) -> bytes:
    taken = bytearray()
    while len(taken) < size:
        raw.settimeout(deadline.remaining())
        more = raw.recv(size - len(taken))
        if not more:
            raise ConnectionResetError
        taken += more
    return bytes(taken)
