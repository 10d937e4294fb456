"""Places at which something is tried: so many at once, few of them for one account, the next for whoever has fewest."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Places:
    """``at_once`` places, ``each`` for one account at most.

    One that gets free goes to the account that has the fewest, of several to who waits longest: first come, first
    served would let some accounts, whose hosts do not answer, hold up everybody else.
    """

    def __init__(self, at_once: int, each: int) -> None:
        self._free = at_once
        self._each = each
        self._held: Counter[str] = Counter()
        self._waiting: dict[str, deque[tuple[int, asyncio.Future[None]]]] = {}
        self._arrivals = count()

    @asynccontextmanager
    async def one(self, account: str) -> AsyncIterator[None]:
        """Wait for a place, and have it until the end of the block."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(account, deque()).append((next(self._arrivals), turn))
        self._hand_out()
        try:
            await turn
            yield
        finally:
            if turn.done() and not turn.cancelled():
                self._give_back(account)

    def _give_back(self, account: str) -> None:
        self._free += 1
        self._held[account] -= 1
        if not self._held[account]:
            del self._held[account]
        self._hand_out()

    def _hand_out(self) -> None:
        while self._free and (account := self._next()) is not None:
            queue = self._waiting[account]
            _, turn = queue.popleft()
            if not queue:
                del self._waiting[account]
            if not turn.cancelled():
                self._free -= 1
                self._held[account] += 1
                turn.set_result(None)

    def _next(self) -> str | None:
        may = (account for account in self._waiting if self._held[account] < self._each)
        return min(may, key=lambda account: (self._held[account], self._waiting[account][0][0]), default=None)
