"""Servers that behave in a way of the test's choosing, one connection after the other, on a loopback port."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

from counterseal.handshake.observation import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 30


@contextlib.contextmanager
def serving(behave: Callable[[socket.socket], None]) -> Iterator[Endpoint]:
    """Serve one connection after the other with ``behave``; what it raises ends that connection only."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.settimeout(SECONDS)
                with connection, contextlib.suppress(OSError):
                    behave(connection)
                    leave(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield Endpoint("127.0.0.1", listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(SECONDS)


def answering(*pieces: bytes) -> Callable[[socket.socket], None]:
    """Return a server that begins to read a request and sends these bytes."""

    def behave(connection: socket.socket) -> None:
        connection.recv(65536)
        for piece in pieces:
            connection.sendall(piece)

    return behave


def leave(connection: socket.socket) -> None:
    """End our side and read on until the other has: a connection closed with something unread would be reset."""
    connection.shutdown(socket.SHUT_WR)
    until_left(connection)


def until_left(connection: socket.socket) -> None:
    """Say nothing until the client goes away."""
    while connection.recv(65536):
        pass
