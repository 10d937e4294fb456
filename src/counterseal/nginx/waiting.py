"""Waiting with a deadline: the one loop of this room that sleeps, and the clock it is handed.

Whoever waits for nginx polls a condition in small intervals against a deadline. Nothing here knows what is waited for.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

INTERVAL = 0.01
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The time as it is handed in: ``now`` in UTC for records, ``monotonic`` in seconds for deadlines, ``sleep``."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]


def system_clock() -> Clock:
    """Return the clock of the machine."""
    return Clock(now=lambda: datetime.now(UTC), monotonic=time.monotonic, sleep=time.sleep)


def wait_until(condition: Callable[[], bool], *, within: float, clock: Clock, interval: float = INTERVAL) -> bool:
    """Look at ``condition`` until it holds or ``within`` seconds are over; says whether it held.

    It is looked at least once, and once more after the last sleep.
    """
    end = clock.monotonic() + within
    while not condition():
        if clock.monotonic() >= end:
            return False
        clock.sleep(interval)
    return True
