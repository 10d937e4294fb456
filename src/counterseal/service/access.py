"""The store from asynchronous code: nobody waits for the disk but those whose answer depends on it.

A read is a look-up by index in a connection of its own (readers of a write-ahead log never wait): it takes microseconds
and is done where it is asked; a search may take seconds, and is done in a thread (``searching``). Writes share commits
(``groups``). What takes long by itself, a signature or a list, has a thread.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from counterseal.authority.ahead import reserve_ahead
from counterseal.errors import CountersealError
from counterseal.service.groups import Groups
from counterseal.service.metrics import Metrics
from counterseal.service.remembered import Remembered
from counterseal.service.searching import SEARCHERS, Finders, Searching

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from counterseal.authority.ahead import Ahead
    from counterseal.authority.parts import Authority

T = TypeVar("T")

THREADS = 4


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
        self._metrics = metrics or Metrics()
        self._groups = Groups(writer, self._metrics)
        self._metrics.watch_waiting(lambda: self._groups.waiting)
        self._reserving: asyncio.Task[None] | None = None
        self._later: set[asyncio.Task[None]] = set()
        self._closing = False
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
        return await self._groups.write(job, durable=durable, undone=undone)

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

    async def drop_lost(self) -> None:
        """Use no number any more that was reserved ahead and is not in the store, as after a failover that lost it."""
        if self._writer.ahead is not None:
            await self.read(self._writer.ahead.drop_lost)

    def later(self, work: Coroutine[None, None, None]) -> None:
        """Have this done beside what is asked, before ``close`` is over; nobody waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def hurry(self) -> None:
        """Wait no longer for the store than a stop may take; the last answers are being given."""

    async def close(self) -> None:
        """Let what waits be written, then stop."""
        await self._give_back()
        self._closing = True
        await self._groups.close()
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(self._searchers.shutdown)
        self._finders.close()

    async def _reserve_ahead(self, ahead: Ahead, issuer: str) -> None:
        with suppress(CountersealError):  # without them a certificate takes a flush more, and asks for them again
            ahead.add(issuer, await self.write(lambda authority: reserve_ahead(authority, issuer)))

    async def _give_back(self) -> None:
        if self._later:
            await asyncio.wait(self._later)  # one that fails ends none of the others, and the loop's log has it
        ahead = self._writer.ahead
        if ahead is None or self._closing:
            return
        if self._reserving is not None:
            await self._reserving
        with suppress(CountersealError):  # what stays reserved does no harm
            await self._release(ahead)

    async def _release(self, ahead: Ahead) -> None:
        await self.write(ahead.give_back)
