"""The store from asynchronous code: nobody waits for the disk but those whose answer depends on it.

A read is a look-up by index in a connection of its own (readers of a write-ahead log never wait): it takes microseconds
and is done where it is asked; a search may take seconds, and is done in a thread (``searching``). The statements of a
write are run where they are asked as well; what takes long is the commit, and that is done in a thread, once for all
that has gathered meanwhile, each job in a step of its own that can fail alone. All of them are answered when their
common commit is on disk: the number of flushes follows the disk and not the number of clients.
Statements in a thread of their own were slower: at each of them two threads contend for the interpreter.
"""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, TypeVar

from counterseal.authority.ahead import reserve_ahead
from counterseal.errors import CountersealError, StoreError
from counterseal.service.errands import Errands
from counterseal.service.metrics import Metrics
from counterseal.service.remembered import Remembered
from counterseal.service.searching import SEARCHERS, Finders, Searching
from counterseal.service.waiting import QUEUE_LIMIT, Waiting, deliver, overloaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.authority.ahead import Ahead
    from counterseal.authority.parts import Authority
    from counterseal.service.waiting import Outcome

T = TypeVar("T")

GROUP_LIMIT = 64
"""Jobs in one transaction at most, so that nobody waits behind a crowd."""

LINGER_SECONDS = 0.005
"""So long a commit that nobody waits for waits for one that somebody does: one flush for both.

Other processes can write nothing meanwhile, so it is short.
"""

TURNS = 2
"""Of the event loop: in the first a request that has arrived is read, in the second it asks for its job."""

THREADS = 4
BUSY_SECONDS, BUSY_PAUSE = 10.0, 0.005


class Access:
    """The way to the authority for the faces of one process, from its event loop; as it stands, to a store in a file.

    ``writer`` is an authority whose store may be used in any thread and never waits for another process;
    ``open_apart`` opens one more, which any thread may use.
    """

    is_shared = False
    """Whether other processes serve from the same store."""
    reads_only = False
    """Whether the store was a standby's when it was opened, so that nothing can be written."""

    def __init__(
        self,
        reader: Authority,
        writer: Authority,
        open_apart: Callable[[], Authority],
        metrics: Metrics | None = None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._open_apart = open_apart
        self._remembered = Remembered(reader)
        self._waiting: deque[Waiting] = deque()
        self._metrics = metrics or Metrics()
        self._metrics.watch_waiting(lambda: len(self._waiting))
        self._task: asyncio.Task[None] | None = None
        self._had_company = False
        self._arrival: asyncio.Future[None] | None = None
        self._reserving: asyncio.Task[None] | None = None
        self._closing = False
        self._committer = Errands("commit")
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="work")
        self._searching = Searching()
        self._finders = Finders(open_apart)
        self._searchers = ThreadPoolExecutor(SEARCHERS, thread_name_prefix="search")

    async def read(self, job: Callable[[Authority], T]) -> T:
        """Return what ``job`` reads; it must neither write nor wait. Raises StoreError ``store.moved``."""
        self._remembered.require_here()
        with self._reader.store.cas_once():
            return job(self._reader)

    async def search(self, job: Callable[[Authority], T], caller: str) -> T:
        """Return what ``job`` finds, which may read much: beside everything else, few at once, and not for long.

        Raises RefusedError ``search.too_many``, InputError ``search.too_broad``, StoreError ``store.moved``.
        """
        async with self._searching.turn(caller):
            return await self._search(job)

    async def _search(self, job: Callable[[Authority], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._searchers, self._finders.search, job)

    async def require_here(self) -> None:
        """Raise StoreError ``store.moved`` where the store was moved away: no key is used and nothing said any more."""
        await self.read(lambda authority: authority.store.require_here())

    async def recall(self, subject: str, job: Callable[[Authority], T]) -> T:
        """Return what ``job`` reads of the subject (see ``store.announcements``), which may be known still."""
        return self._remembered.recall(subject, job)

    def look(self, subject: str, job: Callable[[Authority], T]) -> T | None:
        """Return what ``recall`` does, for who cannot wait; None where one would have to."""
        return self._remembered.recall(subject, job)

    @property
    def asks_each_time(self) -> bool:
        """Whether nothing is remembered although it could be, because changes are not announced to this process."""
        return False

    async def write(
        self,
        job: Callable[[Authority], T],
        *,
        durable: bool = True,
        undone: bool = True,
        together: str | None = None,  # noqa: ARG002 - here all are
    ) -> T:
        """Run ``job`` in a transaction and return its answer when it is durable; what it raises undoes it alone.

        With ``undone=False`` that is the job's own affair, or needless because it is one statement: what it has
        written when it raises may stay.

        ``together`` says that a job may be in one transaction with its like that come at the same time, where others
        share the store. Such jobs are done in the order of this word, and it names whose rows a job may lock: so of two
        transactions that want the same rows one waits for the other, and never each for the other.

        With ``durable=False`` the answer comes as soon as the job is done, its commit under way or to come with the
        next one: for what a crash may forget, and for answers that show nothing of the store. A later job's commit is
        never an earlier one. A job must be short: ``apart`` is for others. Raises StoreError ``store.overloaded`` when
        too many wait already.
        """
        if len(self._waiting) >= QUEUE_LIMIT:
            raise overloaded()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append(Waiting(job, future, durable, undone))
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._work())
        else:
            self._wake()
        return await future

    async def ask(self, job: Callable[[Authority], T]) -> T:
        """Return what ``job`` reads.

        Where others share the store, it may write as well what concerns nobody else and a crash may forget: each
        statement is on its own, waits for nobody, and stays whatever comes after it.
        """
        return await self.read(job)

    async def sign(self, work: Callable[[], T]) -> T:
        """Run ``work``, which uses a key that may be slow or elsewhere, in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def apart(self, job: Callable[[Authority], T]) -> T:
        """Run a ``job`` that takes long, such as signing a list, in a thread with a connection of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._apart, job)

    def _apart(self, job: Callable[[Authority], T]) -> T:
        with self._open_apart() as authority:
            return job(authority)

    def reserve_ahead(self, issuer: str) -> None:
        """Have serial numbers of the CA reserved, beside what is asked, where too few are left of those that are."""
        ahead = self._writer.ahead
        if ahead is None or not ahead.is_short(issuer) or self._closing:
            return
        if self._reserving is None or self._reserving.done():
            self._reserving = asyncio.get_running_loop().create_task(self._reserve_ahead(ahead, issuer))

    async def close(self) -> None:
        """Let what waits be written, then stop."""
        await self._give_back()
        self._closing = True
        self._wake()
        if self._task is not None:
            await self._task
        self._committer.close()
        self._threads.shutdown()
        self._searchers.shutdown()
        self._finders.close()

    async def _reserve_ahead(self, ahead: Ahead, issuer: str) -> None:
        with suppress(CountersealError):  # without them a certificate takes a flush more, and asks for them again
            ahead.add(issuer, await self.write(lambda authority: reserve_ahead(authority, issuer)))

    async def _give_back(self) -> None:
        ahead = self._writer.ahead
        if ahead is None or self._closing:
            return
        if self._reserving is not None:
            await self._reserving
        with suppress(CountersealError):  # what stays reserved does no harm
            await self._release(ahead)

    async def _release(self, ahead: Ahead) -> None:
        await self.write(ahead.give_back)

    async def _work(self) -> None:
        while self._waiting:
            group = self._take(GROUP_LIMIT)
            try:
                deliver(await self._commit(group))
            except Exception as error:  # noqa: BLE001 - every waiter is told, and the next group goes on
                deliver([(waiting.future, None, error) for waiting in group])

    def _take(self, limit: int) -> list[Waiting]:
        return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]

    async def _commit(self, group: list[Waiting]) -> list[Outcome]:
        """Run the jobs in one transaction; when it cannot begin or its commit fails, all have failed."""
        store = self._writer.store
        await self._begin()
        try:
            outcomes = [self._attempt(waiting) for waiting in group]
            await self._linger(group, outcomes)
            await self._gather(group, outcomes)
            with self._metrics.commit_seconds.time():
                await self._committer.do(store.commit)
        except BaseException:
            store.abandon()
            raise
        self._metrics.commits.inc()
        self._metrics.jobs.inc(len(group))
        return outcomes

    async def _linger(self, group: list[Waiting], outcomes: list[Outcome]) -> None:
        """Run more jobs as they come, until somebody waits for the commit, or the time for that is over."""
        until = asyncio.get_running_loop().time() + LINGER_SECONDS
        while not any(waiting.durable for waiting in group) and len(group) < GROUP_LIMIT and not self._closing:
            if not self._waiting:
                await self._arrive(until)
            if not self._join(group, outcomes):
                return

    async def _gather(self, group: list[Waiting], outcomes: list[Outcome]) -> None:
        """Where several ask at a time, run what those ask whose requests have arrived: one flush for all of them."""
        while self._had_company and len(group) < GROUP_LIMIT:
            for _ in range(TURNS):
                await asyncio.sleep(0)
            if not self._join(group, outcomes):
                break
        self._had_company = sum(waiting.durable for waiting in group) > 1

    def _join(self, group: list[Waiting], outcomes: list[Outcome]) -> bool:
        """Run what waits in the transaction of the group, and say whether there was something."""
        more = self._take(GROUP_LIMIT - len(group))
        group += more
        outcomes += [self._attempt(waiting) for waiting in more]
        return bool(more)

    async def _arrive(self, until: float) -> None:
        """Wait for a job, or for this time of the loop."""
        loop = asyncio.get_running_loop()
        self._arrival = loop.create_future()
        timer = loop.call_at(until, self._wake)
        await self._arrival
        timer.cancel()

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    async def _begin(self) -> None:
        """Begin as soon as no other process is writing, without holding up the loop; raises StoreError."""
        deadline = asyncio.get_running_loop().time() + BUSY_SECONDS
        while True:
            try:
                return self._writer.store.begin()
            except StoreError as error:
                if error.code != "store.busy" or asyncio.get_running_loop().time() > deadline:
                    raise
            self._metrics.busy.inc()
            await asyncio.sleep(BUSY_PAUSE)

    def _attempt(self, waiting: Waiting) -> Outcome:
        job, future, durable, undone, _ = waiting
        store = self._writer.store
        try:
            with store.cas_once(), store.transaction() if undone else nullcontext():
                outcome: Outcome = (future, job(self._writer), None)
        except Exception as error:  # noqa: BLE001 - it belongs to the one who asked
            outcome = (future, None, error)
        if not durable:
            deliver([outcome])
        return outcome
