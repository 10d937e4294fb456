"""Writes to a store in a file, a group of them in one transaction: one flush for all who ask at the same time.

The statements of a write are run where they are asked; what takes long is the commit, and that is done in a thread,
once for all that has gathered meanwhile, each job in a step of its own that can fail alone. All of them are answered
when their common commit is on disk: the number of flushes follows the disk and not the number of clients.
Statements in a thread of their own were slower: at each of them two threads contend for the interpreter.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import nullcontext
from typing import TYPE_CHECKING, TypeVar

from counterseal.errors import StoreError
from counterseal.service.errands import Errands
from counterseal.service.waiting import QUEUE_LIMIT, Waiting, deliver, overloaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.authority.parts import Authority
    from counterseal.service.metrics import Metrics
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

BUSY_SECONDS, BUSY_PAUSE = 10.0, 0.005
"""How long another process may be writing, and after how long it is looked again whether it still is."""


class Groups:
    """The jobs that wait for ``writer``, and the group that is written now."""

    def __init__(self, writer: Authority, metrics: Metrics) -> None:
        self._writer = writer
        self._metrics = metrics
        self._waiting: deque[Waiting] = deque()
        self._task: asyncio.Task[None] | None = None
        self._had_company = False
        self._arrival: asyncio.Future[None] | None = None
        self._closing = False
        self._committer = Errands("commit")

    @property
    def waiting(self) -> int:
        """How many jobs are in no group yet."""
        return len(self._waiting)

    async def write(self, job: Callable[[Authority], T], *, durable: bool, undone: bool) -> T:
        """Run the job in the next group and return its answer; see ``Access.write``."""
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

    async def close(self) -> None:
        """Let what waits be written, then stop."""
        self._closing = True
        self._wake()
        if self._task is not None:
            await self._task
        self._committer.close()

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
        job, future, durable, undone, *_ = waiting
        store = self._writer.store
        try:
            with store.cas_once(), store.transaction() if undone else nullcontext():
                outcome: Outcome = (future, job(self._writer), None)
        except Exception as error:  # noqa: BLE001 - it belongs to the one who asked
            outcome = (future, None, error)
        if not durable:
            deliver([outcome])
        return outcome
