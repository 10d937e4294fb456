"""The store from asynchronous code: reads where they are asked, writes through one thread that commits in groups.

A read is one look-up by index in a connection of its own (readers of a write-ahead log never wait), which costs less
than handing it to a thread. A write goes to the one writer, who runs what has gathered in one transaction, each job in
a step of its own that can fail alone, and answers all of them when their common commit is on disk: so the number of
flushes follows the disk and not the number of clients, and writers of one process never wait for each other's lock.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from counterseal.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.authority.parts import Authority

    Job = Callable[[Authority], Any]
    Waiting = tuple[Job, asyncio.Future[Any], bool]
    Outcome = tuple[asyncio.Future[Any], Any, BaseException | None]

T = TypeVar("T")

GROUP_LIMIT = 64
"""Jobs in one transaction at most, so that nobody waits behind a crowd."""

QUEUE_LIMIT = 2_000
"""Jobs that may wait; more are refused at once, which a client can act on."""

SIGNERS = 4


class Access:
    """The way to the authority for the faces of one process; made, used and closed in the event loop's thread."""

    def __init__(self, reader: Authority, open_writer: Callable[[], Authority]) -> None:
        self._reader = reader
        self._open_writer = open_writer
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._signers = ThreadPoolExecutor(SIGNERS, thread_name_prefix="sign")
        self._thread = Thread(target=self._serve, name="store-writer")
        self._thread.start()

    async def read(self, job: Callable[[Authority], T]) -> T:
        """Return what ``job`` reads; it must neither write nor wait."""
        return job(self._reader)

    async def write(self, job: Callable[[Authority], T], *, durable: bool = True) -> T:
        """Run ``job`` in a transaction and return its answer when it is durable; what it raises undoes it alone.

        With ``durable=False`` the answer comes as soon as the job is done, its commit under way: for what a crash may
        forget, and for answers that show nothing of the store. Raises StoreError ``store.overloaded`` when too many
        wait already.
        """
        if self._queue.qsize() >= QUEUE_LIMIT:
            raise StoreError("store.overloaded", f"too much is waiting to be written: {QUEUE_LIMIT} jobs")
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put((job, future, durable))
        return await future

    async def sign(self, work: Callable[[], T]) -> T:
        """Run ``work``, which uses a key that may be slow or elsewhere, in a thread."""
        return await self._loop.run_in_executor(self._signers, work)

    async def close(self) -> None:
        """Let what waits be written, then stop."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._signers.shutdown()

    def _serve(self) -> None:
        with self._open_writer() as authority:
            while (first := self._queue.get()) is not None:
                group, last = self._gather(first)
                self._answer(self._run(authority, group))
                if last:
                    return

    def _gather(self, first: Waiting) -> tuple[list[Waiting], bool]:
        """Return what has gathered by now, and whether the end was met."""
        group = [first]
        while len(group) < GROUP_LIMIT:
            try:
                following = self._queue.get_nowait()
            except Empty:
                break
            if following is None:
                return group, True
            group.append(following)
        return group, False

    def _run(self, authority: Authority, group: list[Waiting]) -> list[Outcome]:
        """Run the jobs in one transaction; when its commit fails, all have failed."""
        outcomes: list[Outcome] = []
        try:
            with authority.store.transaction():
                for job, future, durable in group:
                    outcomes.append((future, *_attempt(authority, job)))
                    if not durable:
                        self._answer(outcomes[-1:])
        except Exception as error:  # noqa: BLE001 - every waiter is told, and the writer goes on
            return [(future, None, error) for _, future, _ in group]
        return outcomes

    def _answer(self, outcomes: list[Outcome]) -> None:
        self._loop.call_soon_threadsafe(_deliver, outcomes)


def _attempt(authority: Authority, job: Job) -> tuple[Any, BaseException | None]:
    try:
        with authority.store.transaction():
            return job(authority), None
    except Exception as error:  # noqa: BLE001 - it belongs to the one who asked
        return None, error


def _deliver(outcomes: list[Outcome]) -> None:
    for future, answer, error in outcomes:
        if future.done():
            continue  # whoever asked has gone away, or was answered before the commit
        if error is None:
            future.set_result(answer)
        else:
            future.set_exception(error)
