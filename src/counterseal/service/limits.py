"""How often one caller may ask, at all replicas together: counted in the store, in small portions.

Each face has its own buckets. A process takes a twentieth of a bucket at a time and gives it out from memory, so that a
request seldom costs a statement, and never a flush of its own: a crash may forget what was taken last. So nobody gets
more than his bucket; who asks several replicas in turn may be told to wait while one of them has a few requests left.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING

from counterseal.service.parts import Upkeep
from counterseal.service.upkeep import in_steps
from counterseal.store.allowances import Rate, forget_allowances, take_requests

if TYPE_CHECKING:
    from counterseal.service.access import Access

CALLERS_KEPT = 10_000
"""Beyond these what was taken for the one who asked longest ago is forgotten."""

KEPT_SECONDS = 30.0
"""A portion that was not used for so long is forgotten: the whole bucket has filled up since."""

PORTIONS = 20
TIDY_SECONDS, STEP = 60.0, 500


@dataclass(slots=True)
class _Held:
    """What was taken for a caller and not given out yet; with nothing left, he waits until that time of the loop."""

    requests: int = 0
    until: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Limits:
    """The limits of a face; ``per_minute`` flow in, half as many fit. 0 means no limit."""

    def __init__(self, access: Access, face: str, per_minute: int) -> None:
        self._access = access
        self._face = face
        self._rate = Rate(per_minute) if per_minute else None
        self._held: OrderedDict[str, _Held] = OrderedDict()

    async def take(self, caller: str) -> int:
        """Take one request; return 0, or in how many whole seconds there will be one again. Raises StoreError."""
        if self._rate is None:
            return 0
        held = self._held.setdefault(caller, _Held())
        self._held.move_to_end(caller)
        while len(self._held) > CALLERS_KEPT:
            self._held.popitem(last=False)
        async with held.lock:  # of many that come at once one takes a portion for all
            now = asyncio.get_running_loop().time()
            if held.until <= now:
                await self._refill(held, caller, self._rate, now)
            if not held.requests:
                return max(1, ceil(held.until - now))
            held.requests -= 1
            held.until = held.until if held.requests else 0.0
            return 0

    def upkeep(self) -> Upkeep:
        """Return the work that forgets who has not asked for a while."""
        return Upkeep(f"tidy limits of {self._face}", TIDY_SECONDS, self._tidy)

    async def _refill(self, held: _Held, caller: str, rate: Rate, now: float) -> None:
        name, portion = f"{self._face} {caller}", max(1, rate.size // PORTIONS)
        taken = await self._access.write(
            lambda authority: take_requests(authority.store, name, rate, portion), durable=False
        )
        held.requests = taken.requests
        held.until = now + (KEPT_SECONDS if taken.requests else taken.wait)

    async def _tidy(self) -> None:
        await in_steps(self._access, lambda authority: forget_allowances(authority.store, STEP), STEP)
