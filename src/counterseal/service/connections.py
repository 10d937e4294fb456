"""Some connections to a shared store, and the jobs that wait for one of them.

A server that says nothing is given up and looked for anew; when the service ends, it is not looked for any more.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

from counterseal.service.transacting import PATIENCE_SECONDS, patiently, silent
from counterseal.suspension import in_the_loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.authority.parts import Authority

T = TypeVar("T")

SILENCE_SECONDS = 15.0
"""A server that takes connections and answers nothing for so long is given up, and looked for anew."""

LEFT_SECONDS = 2.0
"""When the service ends, what has been at work for so long is given up: a job takes milliseconds."""


class Connections:
    """Some of them; ``waiting`` is how many jobs have none yet."""

    def __init__(self, authorities: list[Authority]) -> None:
        self._free: asyncio.LifoQueue[Authority] = asyncio.LifoQueue()
        for authority in authorities:
            self._free.put_nowait(authority)
        self._number = len(authorities)
        self._begun: dict[int, tuple[float, Authority]] = {}
        self._over = False
        self.waiting = 0

    async def do(self, job: Callable[[Authority], T], *, until: float | None = None) -> T:
        """Do the job as soon as there is a connection; who does not wait any more stops nothing.

        While the database is away it is tried again until then, for a while from now on if nothing is said; so long
        somebody waits for a connection, too. Raises StoreError.
        """
        until = time.monotonic() + PATIENCE_SECONDS if until is None else until
        self.waiting += 1
        try:
            authority = await self._take(until)
        finally:
            self.waiting -= 1
        task = asyncio.create_task(self._do(authority, job, until))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # maybe nobody waits
        return await asyncio.shield(task)

    def leave(self) -> None:
        """Try nothing again, and end what has waited for the server for long."""
        self._over = True
        before = time.monotonic() - LEFT_SECONDS
        for began, authority in self._begun.values():
            if began < before:
                authority.store.leave()

    async def _take(self, until: float) -> Authority:
        if not self._free.empty():
            return self._free.get_nowait()
        try:
            async with asyncio.timeout(until - time.monotonic()):
                return await self._free.get()
        except TimeoutError:
            raise silent(PATIENCE_SECONDS) from None

    async def _do(self, authority: Authority, job: Callable[[Authority], T], until: float) -> T:
        loop = asyncio.get_running_loop()
        timer: asyncio.TimerHandle

        def cut() -> None:
            """Give up on a server that says nothing for long, so that another one is looked for."""
            nonlocal timer
            authority.store.cut()
            timer = loop.call_later(SILENCE_SECONDS, cut)

        timer = loop.call_later(SILENCE_SECONDS, cut)
        self._begun[id(authority)] = time.monotonic(), authority
        try:
            return await in_the_loop(lambda: patiently(lambda: job(authority), until, lambda: self._over))
        finally:
            timer.cancel()
            del self._begun[id(authority)]
            self._free.put_nowait(authority)

    async def close(self) -> None:
        """Wait for what is done, then close them."""
        for _ in range(self._number):
            authority = await self._free.get()
            authority.store.close()
