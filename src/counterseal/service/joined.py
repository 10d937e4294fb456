"""One answer on its way to a transport: its head waits for what follows, so that both are one write.

Each write is a record of TLS, a call of the system, and something that the peer wakes up for.
"""

from __future__ import annotations

import asyncio

INTERIM = b"HTTP/1.1 100 "


class Joined(asyncio.Transport):
    """The transport of one answer, as far as the server below uses it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._head: bytes | None = None
        self._begun = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep what comes first, the head, until the next; an interim answer (RFC 9110 15.2) is none."""
        octets = bytes(data)
        if self._begun or octets.startswith(INTERIM):
            self._transport.write(octets if self._head is None else self._head + octets)
            self._head = None
            return
        self._begun, self._head = True, octets

    def flush(self) -> None:
        """Send a head after which nothing comes."""
        if self._head is not None:
            self._transport.write(self._head)
            self._head = None

    def close(self) -> None:
        """Close, after what was written."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether nothing more can be written."""
        return self._transport.is_closing()
