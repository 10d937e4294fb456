"""Ports of the loopback interface for programs that have to be told theirs before they start."""

from __future__ import annotations

import errno
import os
import secrets
import socket
from collections import deque
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOWEST = 20_000
_HELD = 200
_reserved: deque[int] = deque()


def free_port() -> int:
    """Return a port that nobody listens on and that no test is given again, in whatever process, for a long while.

    This process holds the last two hundred, a file each, until it ends: who was given one before has come and gone.
    It is none of those that the kernel gives to who does not care (``ip(7)``, ``ip_local_port_range``): another test's
    connection, or its server on port 0, would have it before the program for which it was chosen.
    """
    while True:
        port = _LOWEST + secrets.randbelow(_given_by_the_kernel() - _LOWEST)
        if _reserve(port):
            return port


def free_ports(number: int) -> list[int]:
    """Return so many of them."""
    return [free_port() for _ in range(number)]


@contextmanager
def taken_port() -> Iterator[int]:
    """Hold a port that nobody else can have meanwhile; who connects to it is refused, and waits for nothing."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        yield port


def _given_by_the_kernel() -> int:
    with suppress(OSError):
        lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
        return max(lowest, _LOWEST + 1000)
    return 32_768


def _reserve(port: int) -> bool:
    """Take the port's name among the abstract Unix sockets (``unix(7)``), which goes with the process that holds it."""
    holder = socket.socket(socket.AF_UNIX)
    try:
        holder.bind(f"\0counterseal-test-port-{port}")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("", port))
    except OSError as error:
        holder.close()
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    _reserved.append(holder.detach())
    if len(_reserved) > _HELD:
        os.close(_reserved.popleft())
    return True
