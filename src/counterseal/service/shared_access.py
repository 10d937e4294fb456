"""A store in a database server from asynchronous code: every statement goes there and back, so all run in threads.

Reads have a few connections of their own; what is asked for again and again is remembered until a change of it is
announced (``announced``). One thread writes, a group of jobs a transaction. What waits while the
database is away for a moment (a restart, a failover) is tried again. Only a commit that was sent and not answered is
not: nobody knows whether it happened, so whoever asked is told to come again and look.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from counterseal.errors import StoreError
from counterseal.service.access import THREADS, Access, deliver
from counterseal.service.announced import Announced

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.authority.parts import Authority
    from counterseal.service.access import Outcome, Waiting
    from counterseal.service.metrics import Metrics

T = TypeVar("T")

READERS = THREADS
PATIENCE_SECONDS, PAUSE_SECONDS = 20.0, 0.1
"""How long a database may be away before those who wait are told so."""

SILENCE_SECONDS = 15.0
"""A server that takes connections and answers nothing for so long is given up, and looked for anew."""

_AWAY = frozenset({"store.unreachable", "store.read_only"})
"""The second is a primary that has become a standby."""


class SharedAccess(Access):
    """The way to a store that others use as well; ``open_one`` opens it once more."""

    def __init__(self, open_one: Callable[[], Authority], metrics: Metrics | None = None) -> None:
        writer = open_one()
        super().__init__(writer, writer, open_one, metrics)
        self._readers: asyncio.LifoQueue[Authority] = asyncio.LifoQueue()
        for _ in range(READERS):
            self._readers.put_nowait(open_one())
        self._reading = ThreadPoolExecutor(READERS, thread_name_prefix="read")
        self._announced = Announced(writer.store.listen)

    async def read(self, job: Callable[[Authority], T]) -> T:
        """Return what ``job`` reads, in a thread; it may be run again when a connection was lost."""
        reader = await self._readers.get()
        future = asyncio.get_running_loop().run_in_executor(self._reading, _patiently, lambda: job(reader))
        future.add_done_callback(lambda _: self._readers.put_nowait(reader))
        return await _answered(future, reader)

    async def recall(self, subject: str, job: Callable[[Authority], T]) -> T:
        """Return what ``job`` reads of the ``subject``, which is known as long as no change of it is announced."""
        kept: T | None = self._announced.recall(subject)
        if kept is not None:
            return kept
        moment = self._announced.moment()
        value = await self.read(job)
        if value is not None and moment is not None:
            self._announced.keep(subject, value, moment)
        return value

    def look(self, subject: str, _job: Callable[[Authority], T]) -> T | None:
        """Return what is known of the ``subject``, None where it has to be asked for."""
        kept: T | None = self._announced.recall(subject)
        return kept

    async def close(self) -> None:
        """Let what waits be written, then stop."""
        await self._announced.close()
        await super().close()
        self._reading.shutdown()
        self._writer.store.close()
        while not self._readers.empty():
            self._readers.get_nowait().store.close()

    async def _commit(self, group: list[Waiting]) -> list[Outcome]:
        """Run the jobs and the commit in the one thread that writes."""
        loop = asyncio.get_running_loop()

        def tell(outcome: Outcome) -> None:
            loop.call_soon_threadsafe(deliver, [outcome])

        with self._metrics.commit_seconds.time():
            work = self._committer.do(lambda: _patiently(lambda: self._write(group, tell)))
            outcomes = await _answered(work, self._writer)
        self._metrics.commits.inc()
        self._metrics.jobs.inc(len(group))
        return outcomes

    def _write(self, group: list[Waiting], tell: Callable[[Outcome], None]) -> list[Outcome]:
        store = self._writer.store
        store.begin()
        try:
            outcomes = []
            for job, future, durable in group:
                outcomes.append((future, *self._try(job)))
                if not durable:
                    tell(outcomes[-1])
            _send(store.commit)
        except BaseException:
            store.abandon()
            raise
        return outcomes

    def _try(self, job: Callable[[Authority], T]) -> tuple[T | None, BaseException | None]:
        """Return the answer, or what is wrong with this job alone; raises StoreError when the database went away."""
        try:
            with self._writer.store.transaction():
                return job(self._writer), None
        except StoreError as error:
            if error.code in _AWAY:
                raise
            return None, error
        except Exception as error:  # noqa: BLE001 - it belongs to the one who asked
            return None, error


def _send(commit: Callable[[], None]) -> None:
    """Commit; raises StoreError ``store.unanswered`` when the answer to that was lost."""
    try:
        commit()
    except StoreError as error:
        if error.code in _AWAY:
            raise StoreError(
                "store.unanswered",
                "the database went away in the middle of a commit, which it may have done or not",
                hint="look before you ask for it again",
            ) from error
        raise


def _patiently(work: Callable[[], T]) -> T:
    """Do the work again while the database is away, for a while."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return work()
        except StoreError as error:
            if error.code not in _AWAY or time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_SECONDS)


async def _answered(work: asyncio.Future[T], authority: Authority) -> T:
    """Wait for the work; a server that says nothing for long is cut off, so that another one is looked for."""
    while not (await asyncio.wait({work}, timeout=SILENCE_SECONDS))[0]:
        authority.store.cut()
    return work.result()
