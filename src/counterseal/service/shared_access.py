"""A store in a database server from asynchronous code: every statement goes there and back, so all run in threads.

Reads and writes have a few connections each; what is asked for again and again is remembered until a change of it is
announced (``announced``). Each write is a transaction of its own, beside others in this process and on other hosts; the
database flushes once for all that commit at a time. What waits while the database is away for a moment (a restart, a
failover) is tried again, and so is what met another one's rows the wrong way round. Only a commit that was sent and not
answered is not: nobody knows whether it happened, so whoever asked is told to come again and look.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from counterseal.errors import StoreError
from counterseal.service.access import QUEUE_LIMIT, THREADS, Access, overloaded
from counterseal.service.announced import Announced

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.authority.parts import Authority
    from counterseal.service.metrics import Metrics

T = TypeVar("T")

READERS, WRITERS = THREADS, 4
PATIENCE_SECONDS, PAUSE_SECONDS = 20.0, 0.1
"""How long a database may be away before those who wait are told so."""

SILENCE_SECONDS = 15.0
"""A server that takes connections and answers nothing for so long is given up, and looked for anew."""

_AWAY = frozenset({"store.unreachable", "store.read_only"})
"""The second is a primary that has become a standby."""

_CONFLICT = "store.conflict"


class SharedAccess(Access):
    """The way to a store that others use as well; ``open_one`` opens it once more."""

    def __init__(self, open_one: Callable[[], Authority], metrics: Metrics | None = None) -> None:
        writers = [open_one() for _ in range(WRITERS)]
        super().__init__(writers[0], writers[0], open_one, metrics)
        self._readers = _Connections("read", [open_one() for _ in range(READERS)])
        self._writers = _Connections("write", writers)
        self._metrics.watch_waiting(lambda: self._writers.waiting)
        self._announced = Announced(writers[0].store.listen)
        self._announced.begin()
        self._metrics.watch_hearing(lambda: self._announced.hears)

    async def read(self, job: Callable[[Authority], T]) -> T:
        """Return what ``job`` reads, in a thread; it may be run again when a connection was lost."""
        return await self._readers.do(job)

    async def write(self, job: Callable[[Authority], T], *, durable: bool = True, undone: bool = True) -> T:  # noqa: ARG002 - here all is undone
        """Run ``job`` in a transaction of its own, beside others, and return its answer; see ``Access``.

        It may be run again, from its beginning, when its transaction was undone by the database. What it looks at and
        must stay so until it is done it has to lock (``Session.begin``).
        """
        if self._writers.waiting >= QUEUE_LIMIT:
            raise overloaded()
        with self._metrics.commit_seconds.time():
            answer = await self._writers.do(lambda authority: _transact(authority, job, durable=durable))
        self._metrics.commits.inc()
        self._metrics.jobs.inc()
        return answer

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

    @property
    def asks_each_time(self) -> bool:
        """Whether changes are not announced to this process now; see ``Access``."""
        return not self._announced.hears

    async def close(self) -> None:
        """Let what waits be written, then stop."""
        await self._announced.close()
        await self._readers.close()
        await self._writers.close()
        await super().close()


class _Connections:
    """Some of them, each used by one thread at a time; ``waiting`` is how many jobs have none yet."""

    def __init__(self, name: str, authorities: list[Authority]) -> None:
        self._free: asyncio.LifoQueue[Authority] = asyncio.LifoQueue()
        for authority in authorities:
            self._free.put_nowait(authority)
        self._number = len(authorities)
        self._threads = ThreadPoolExecutor(self._number, thread_name_prefix=name)
        self.waiting = 0

    async def do(self, job: Callable[[Authority], T]) -> T:
        """Do the job as soon as there is a connection; who does not wait any more stops nothing."""
        self.waiting += 1
        try:
            authority = await self._free.get()
        finally:
            self.waiting -= 1
        work = asyncio.get_running_loop().run_in_executor(self._threads, _patiently, lambda: job(authority))

        def give_back(done: asyncio.Future[T]) -> None:
            done.exception()
            self._free.put_nowait(authority)

        work.add_done_callback(give_back)
        return await _answered(work, authority)

    async def close(self) -> None:
        """Wait for what is done, then close them."""
        for _ in range(self._number):
            (await self._free.get()).store.close()
        self._threads.shutdown()


def _transact(authority: Authority, job: Callable[[Authority], T], *, durable: bool) -> T:
    store = authority.store
    store.begin(alone=False, durable=durable)
    try:
        answer = job(authority)
        _send(store.commit)
    except BaseException:
        store.abandon()
        raise
    return answer


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
    """Do the work again while the database is away, or undid it, for a while."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return work()
        except StoreError as error:
            if error.code not in _AWAY | {_CONFLICT} or time.monotonic() > deadline:
                raise
            pause = 0.0 if error.code == _CONFLICT else PAUSE_SECONDS
        time.sleep(pause)


async def _answered(work: asyncio.Future[T], authority: Authority) -> T:
    """Wait for the work; a server that says nothing for long is cut off, so that another one is looked for."""
    while not (await asyncio.wait({work}, timeout=SILENCE_SECONDS))[0]:
        authority.store.cut()
    return work.result()
