"""Wait until a generation answers.

After a reload old workers may still win ``accept`` for a moment, so one right answer is not enough: a few in a row are.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from counterseal.handshake.attempt import attempt
from counterseal.handshake.observation import STATUS_PATH, Attempt

if TYPE_CHECKING:
    from counterseal.handshake.observation import Endpoint, Observation

_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class GenerationWait:
    """Whether the generation answered, after how many seconds, and what was seen last before the time was over."""

    answered: bool
    seconds: float
    last: Observation


def wait_for_generation(
    endpoint: Endpoint, generation: int, *, server_name: str | None, timeout: float = 5.0, in_a_row: int = 3
) -> GenerationWait:
    """Ask until ``generation`` has answered ``in_a_row`` times one after the other, or ``timeout`` seconds are over.

    Any page of the site will do, also the one that refuses a client without certificate. Never raises for the peer.
    """
    ask = Attempt(endpoint, server_name, server_name or endpoint.host, STATUS_PATH, timeout=timeout)
    started = time.monotonic()
    right, before = 0, None
    while True:
        left = timeout - (time.monotonic() - started)
        seen = attempt(replace(ask, timeout=max(left, _PAUSE)))
        right = right + 1 if seen.generation == generation else 0
        seconds = time.monotonic() - started
        if right >= in_a_row:
            return GenerationWait(answered=True, seconds=seconds, last=seen)
        if seconds >= timeout:  # this one was cut off by our own limit, which says nothing of the site
            return GenerationWait(answered=False, seconds=seconds, last=before or seen)
        before = seen
        if not right:
            time.sleep(_PAUSE)
