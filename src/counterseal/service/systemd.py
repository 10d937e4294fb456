"""What the service tells systemd, where systemd started it: that it is ready, reloads, stops, and lives (sd_notify(3)).

A datagram to the socket that ``NOTIFY_SOCKET`` names; elsewhere nothing happens.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress

from counterseal.service.parts import Upkeep

READY, STOPPING, ALIVE = "READY=1", "STOPPING=1", "WATCHDOG=1"


def notify(*lines: str) -> None:
    """Tell systemd; a manager that does not listen stops nobody."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.sendto("\n".join(lines).encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)


def notify_reloading() -> None:
    """Tell systemd that a reload begins; ``READY`` ends it."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")


def watchdog() -> list[Upkeep]:
    """Return the work of saying "alive" twice in each span of the watchdog; none where it was not asked for.

    It is said from the event loop, so a loop that hangs says nothing and is restarted.
    """
    span = os.environ.get("WATCHDOG_USEC", "")
    meant = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    if not span.isdigit() or not int(span) or not meant:
        return []

    async def alive() -> None:
        notify(ALIVE)

    return [Upkeep("watchdog", int(span) / 2_000_000, alive, at_once=True)]
