"""Where TLS begins: so many handshakes at once and no more, each for so long and no longer.

A handshake that does not go on costs its peer nothing, and us a file and some 50 kB; it is no connection yet, and is
counted by nobody else. Where there are as many as may be, the oldest makes room: an honest one takes milliseconds.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.service.log import log_error
from counterseal.service.proxy_protocol import read_proxied

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from counterseal.service.connection import Connection
    from counterseal.service.settings import Network

AT_ONCE = 64
"""Taken from the listener before others have their turn."""

PAUSE_SECONDS = 1.0
"""After a failure to accept, as where there is no file left."""


class Door:
    """A listener whose connections begin with a handshake, and as much of a server as uvicorn asks for.

    Those from ``proxies`` begin with what the PROXY protocol says instead, or get no handshake.
    """

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], Connection],
        context: ssl.SSLContext,
        *,
        proxies: tuple[Network, ...] = (),
        at_once: int,
        seconds: float,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._protocol = protocol
        self._context = context
        self._proxies = proxies
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
                connection, address = self._listener.accept()
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
            task = self._loop.create_task(self._let_in(connection, address[0]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _let_in(self, connection: socket.socket, peer: str) -> None:
        try:
            with suppress(OSError, InputError):  # of TLS too: who does not go through is not told, and not logged
                protocol = await self._behind_proxy(connection, peer) if self._is_proxy(peer) else self._protocol
                await self._loop.connect_accepted_socket(
                    protocol, connection, ssl=self._context, ssl_handshake_timeout=self._seconds
                )
        finally:
            self._under_way.pop(connection, None)

    def _is_proxy(self, peer: str) -> bool:
        return bool(self._proxies) and any(ip_address(peer) in network for network in self._proxies)

    async def _behind_proxy(self, connection: socket.socket, peer: str) -> Callable[[], Connection]:
        """Return what makes a connection that knows its client, after the proxy has said which."""
        try:
            async with asyncio.timeout(self._seconds):
                proxied = await read_proxied(self._loop, connection)
        except (OSError, InputError) as error:
            connection.close()
            if isinstance(error, InputError):
                log_error("proxy refused", client=peer, code=error.code, reason=error.message)
            raise

        def made() -> Connection:
            one = self._protocol()
            one.proxied = proxied
            return one

        return made


def _end(connection: socket.socket) -> None:
    """Have the handshake see the end of its connection."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
