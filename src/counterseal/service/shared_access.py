"""A store in a database server from asynchronous code: every statement goes there and back, and the loop goes on.

A job is suspended meanwhile (``counterseal.suspension``). Reads, writes and searches have a few connections each; what
is asked for again and again is remembered until a change of it is announced (``announced``). A write is a transaction,
or shares one with its like that come at the same time (``together``), beside others in this process and on other hosts;
the database flushes once for all that commit at a time. What waits while the database is away for a moment (a restart,
a failover) is tried again, and so is what met another one's rows the wrong way round. Only a commit that was sent and
not answered is not: nobody knows whether it happened, so whoever asked is told to come again and look.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import partial
from threading import Timer
from typing import TYPE_CHECKING, TypeVar

from counterseal.authority.ahead import Ahead
from counterseal.errors import StoreError
from counterseal.service.access import THREADS, Access
from counterseal.service.announced import Announced
from counterseal.service.connections import Connections
from counterseal.service.searching import SEARCHERS, shortly
from counterseal.service.together import Together
from counterseal.service.transacting import asking, look, silent, transaction
from counterseal.service.waiting import QUEUE_LIMIT, overloaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.authority.parts import Authority
    from counterseal.service.metrics import Metrics

T = TypeVar("T")

READERS, WRITERS = THREADS, 4
RECALL_SECONDS = 2.5
"""So long who asks of OCSP or a list is kept waiting while the database is away: he holds up a handshake meanwhile."""

STOP_SECONDS, AGAIN_SECONDS = 10.0, 1.0
"""So long a service that is told to stop waits for the database, and how often what waits still is ended."""


class SharedAccess(Access):
    """The way to a store that others use as well; ``open_one`` opens it once more."""

    is_shared = True

    def __init__(self, open_one: Callable[[], Authority], metrics: Metrics | None = None) -> None:
        ahead = Ahead()
        writers = [replace(open_one(), ahead=ahead.beside()) for _ in range(WRITERS)]
        super().__init__(writers[0], writers[0], open_one, metrics)
        readers = [open_one() for _ in range(READERS)]
        for reader in readers:
            reader.store.commit_soon()
        self._readers = Connections(readers)
        self._writers = Connections(writers)
        self._seekers = Connections([open_one() for _ in range(SEARCHERS)])
        self._apart_kept: list[Authority] = []
        self._apart_used: list[Authority] = []
        self._together = Together(self._transact, transaction)
        self._soon = Together(self._transact, partial(transaction, durable=False))
        self._asked = Together(self._readers.do, asking)
        self._metrics.watch_waiting(self._count_waiting)
        store = writers[0].store
        self._leaving: asyncio.TimerHandle | None = None
        self.reads_only = store.is_standby()
        self._announced = Announced((lambda: None) if self.reads_only else store.listen)  # a standby tells nobody
        self._announced.begin()
        self._metrics.watch_hearing(lambda: self._announced.hears)

    async def read(self, job: Callable[[Authority], T]) -> T:
        """Return what ``job`` reads; it may be run again when a connection was lost. Raises ``store.moved``."""
        return await self._readers.do(lambda authority: look(authority, job, ask_first=not self._announced.hears))

    async def _search(self, job: Callable[[Authority], T]) -> T:
        def work(authority: Authority) -> T:
            return look(authority, partial(shortly, job), ask_first=not self._announced.hears)

        return await self._seekers.do(work)

    async def write(
        self, job: Callable[[Authority], T], *, durable: bool = True, undone: bool = True, together: str | None = None
    ) -> T:
        """Run ``job`` in a transaction, beside others, and return its answer; see ``Access``.

        It may be run again, from its beginning, when its transaction was undone by the database. What it looks at and
        must stay so until it is done it has to lock (``Session.begin``).
        """
        if self._count_waiting() >= QUEUE_LIMIT:
            raise overloaded()

        def work(authority: Authority) -> T:
            with transaction(authority, durable=durable):
                return job(authority)

        answer: T
        if together is not None:
            answer = await (self._together if durable else self._soon).do(job, undone=undone, order=together)
        else:
            answer = await self._transact(work)
        self._metrics.jobs.inc()
        return answer

    async def ask(self, job: Callable[[Authority], T]) -> T:
        """Do so together with others that ask at the same time, in no transaction; see ``Access``."""
        if self._count_waiting() >= QUEUE_LIMIT:
            raise overloaded()
        if not self._announced.hears:
            await self.require_here()
        answer: T = await self._asked.do(job, undone=False)
        return answer

    def _apart(self, job: Callable[[Authority], T]) -> T:
        """Do so on a connection that is kept, and is there when the server takes no more; on one more beside others."""
        try:
            authority = self._take_kept()
        except (IndexError, StoreError):  # the second: it was lost
            authority = self._open_apart()
        self._apart_used.append(authority)
        try:
            return job(authority)
        finally:
            self._apart_used.remove(authority)
            if self._apart_kept or self._closing:
                authority.store.close()
            else:
                self._apart_kept.append(authority)

    def _take_kept(self) -> Authority:
        """Return the kept one if its server answers; one that says nothing is cut."""
        authority = self._apart_kept.pop()
        timer = Timer(RECALL_SECONDS, authority.store.cut)
        timer.start()
        try:
            authority.store.require_here()
        finally:
            timer.cancel()
        return authority

    def _count_waiting(self) -> int:
        return self._writers.waiting + self._together.waiting + self._soon.waiting + self._asked.waiting

    async def _release(self, ahead: Ahead) -> None:
        """Give numbers back at once or not at all: a stop does not wait for a database that is away."""

        def work(authority: Authority) -> None:
            with transaction(authority):
                ahead.give_back(authority)

        await self._transact(work, until=0.0)

    async def _transact(self, work: Callable[[Authority], T], *, until: float | None = None) -> T:
        """Have a connection do the work, which is one transaction, tried again until then; see ``patiently``."""
        with self._metrics.commit_seconds.time():
            answer = await self._writers.do(work, until=until)
        self._metrics.commits.inc()
        return answer

    async def recall(self, subject: str, job: Callable[[Authority], T]) -> T:
        """Return what ``job`` reads of the ``subject``, which is known as long as no change of it is announced."""
        kept: T | None = self._announced.recall(subject)
        if kept is not None:
            return kept
        moment = self._announced.moment()
        value = await self._read_shortly(job)
        if value is not None and moment is not None:
            self._announced.keep(subject, value, moment)
        return value

    async def _read_shortly(self, job: Callable[[Authority], T]) -> T:
        """Read, or raise soon, also where all connections are taken by who waits longer."""

        def work(authority: Authority) -> T:
            return look(authority, job, ask_first=not self._announced.hears)

        try:
            async with asyncio.timeout(RECALL_SECONDS):
                return await self._readers.do(work, until=time.monotonic() + RECALL_SECONDS)
        except TimeoutError:
            raise silent(RECALL_SECONDS) from None

    def look(self, subject: str, _job: Callable[[Authority], T]) -> T | None:
        """Return what is known of the ``subject``, None where it has to be asked for."""
        kept: T | None = self._announced.recall(subject)
        return kept

    @property
    def asks_each_time(self) -> bool:
        """Whether changes are not announced to this process now; see ``Access``."""
        return not self._announced.hears

    def hurry(self, seconds: float = STOP_SECONDS) -> None:
        """Wait for a database that is away so long at most; see ``Access``."""
        if self._leaving is not None:
            self._leaving.cancel()
        self._leaving = asyncio.get_running_loop().call_later(seconds, self._leave)

    def _leave(self) -> None:
        """End what waits for a database that is away, again and again: a connection may be on its way meanwhile.

        A list may take longer than anything else to be made, so it is ended only where nothing is heard.
        """
        for some in (self._readers, self._seekers, self._writers):
            some.leave()
        if not self._announced.hears:
            for authority in list(self._apart_used):
                authority.store.leave()
        self._leaving = asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._leave)

    async def close(self) -> None:
        """Let what waits be written, then stop; what the database does not take soon is given up."""
        self.hurry(RECALL_SECONDS)
        await self._give_back()
        self._closing = True
        await self._together.close()
        await self._soon.close()
        await self._asked.close()
        await self._readers.close()
        await self._seekers.close()
        await self._writers.close()
        await super().close()
        await self._announced.close()
        if self._leaving is not None:
            self._leaving.cancel()
        for authority in self._apart_kept:
            authority.store.close()
