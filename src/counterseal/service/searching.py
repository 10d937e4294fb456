"""Who may search, and how much of it at once: a search may read a million rows, where everything else reads a few.

Searches have connections of their own, and a time that none exceeds (``Store.within``). Of one caller one runs at a
time and some wait, so that nobody's searches hold up those of others, nor anything else.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from counterseal.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from counterseal.authority.parts import Authority

T = TypeVar("T")

SEARCHERS = 2
"""Searches that run at a time."""
SEARCH_SECONDS = 5.0
CALLER_LIMIT = 16
"""Searches of one caller that run or wait; more are refused at once."""


def shortly(job: Callable[[Authority], T], authority: Authority) -> T:
    """Do a search that is ended when it takes long; raises InputError ``search.too_broad``."""
    with authority.store.within(SEARCH_SECONDS):
        return job(authority)


class Finders:
    """The connections for searches of a store in a file, which threads use: each is opened once, when it is needed."""

    def __init__(self, open_one: Callable[[], Authority]) -> None:
        self._open_one = open_one
        self._free: list[Authority] = []

    def search(self, job: Callable[[Authority], T]) -> T:
        """Do a search, as ``shortly``; raises StoreError ``store.moved`` as well."""
        try:
            authority = self._free.pop()
        except IndexError:  # so many as run at a time
            authority = self._open_one()
        try:
            authority.store.require_here()
            return shortly(job, authority)
        finally:
            self._free.append(authority)

    def close(self) -> None:
        """Close them, when no search runs any more."""
        for authority in self._free:
            authority.store.close()


class Searching:
    """The searches of all callers that run or wait."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._counts: dict[str, int] = {}

    @asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[None]:
        """Wait until it is this search's turn among those of the caller; raises RefusedError ``search.too_many``."""
        count = self._counts.get(caller, 0)
        if count >= CALLER_LIMIT:
            raise RefusedError(
                "search.too_many",
                f"too many searches of one caller at a time: {CALLER_LIMIT}",
                hint="wait for the answers of those that run",
            )
        self._counts[caller] = count + 1
        try:
            async with self._locks.setdefault(caller, asyncio.Lock()):
                yield
        finally:
            self._counts[caller] -= 1
            if not self._counts[caller]:
                del self._counts[caller], self._locks[caller]
