"""Where TLS begins: so many handshakes at once and no more, each for so long and no longer.

A handshake that does not go on costs its peer nothing, and us a file and some 50 kB; it is no connection yet, and is
counted by nobody else. Where there are as many as may be, the oldest makes room: an honest one takes milliseconds.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from counterseal.service.log import log_error

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

AT_ONCE = 64
"""Taken from the listener before others have their turn."""

PAUSE_SECONDS = 1.0
"""After a failure to accept, as where there is no file left."""


class Door:
    """A listener whose connections begin with a handshake, and as much of a server as uvicorn asks for."""

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], asyncio.BaseProtocol],
        context: ssl.SSLContext,
        *,
        at_once: int,
        seconds: float,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._protocol = protocol
        self._context = context
        self._at_once = at_once
        self._seconds = seconds
        self._under_way: dict[socket.socket, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        listener.setblocking(False)
        self._open()

    def close(self) -> None:
        """Let nobody in any more; handshakes under way are given up."""
        self._loop.remove_reader(self._listener)
        for connection in self._under_way:
            _end(connection)

    async def wait_closed(self) -> None:
        """Wait for the handshakes that were given up."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _open(self) -> None:
        if self._listener.fileno() != -1:
            self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, _address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                log_error("cannot accept", reason=error.strerror)
                self._loop.remove_reader(self._listener)
                self._loop.call_later(PAUSE_SECONDS, self._open)
                return
            connection.setblocking(False)
            if len(self._under_way) >= self._at_once:
                oldest = next(iter(self._under_way))
                del self._under_way[oldest]
                _end(oldest)
            self._under_way[connection] = None
            task = self._loop.create_task(self._let_in(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _let_in(self, connection: socket.socket) -> None:
        try:
            with suppress(OSError):  # of TLS too: who does not go through is not told, and not logged
                await self._loop.connect_accepted_socket(
                    self._protocol, connection, ssl=self._context, ssl_handshake_timeout=self._seconds
                )
        finally:
            self._under_way.pop(connection, None)


def _end(connection: socket.socket) -> None:
    """Have the handshake see the end of its connection."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
