"""Jobs in a shared store that come at the same time, several in one transaction: one commit, one flush for all of them.

Nobody waits for company: who comes alone is alone. Whoever appends to the log of key uses holds up all others until
his commit (docs/decisions/0006), so certificates are recorded at the end, all behind one lock of the log's head.
Two transactions must not wait for each other: jobs are done in the order of whose rows they may lock.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import nullcontext
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol

from counterseal.errors import CountersealError, StoreError
from counterseal.service.problems import AWAY, UNANSWERED
from counterseal.service.transacting import CONFLICT, PATIENCE_SECONDS, patiently, silent
from counterseal.service.waiting import Waiting, deliver

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractContextManager

    from counterseal.authority.parts import Authority
    from counterseal.service.waiting import Job, Outcome

    class Run(Protocol):
        """Has a connection do a work, tried again until then while the database is away."""

        def __call__(self, work: Callable[[Authority], list[Outcome]], /, *, until: float) -> Awaitable[list[Outcome]]:
            """Return what became of the jobs."""

    Around = Callable[[Authority], AbstractContextManager[None]]

GROUP_LIMIT = 32
"""Jobs in one transaction at most: after a failure each is done alone."""

AT_ONCE = 2
"""So many transactions at a time: while one is flushed, the next decides and signs."""

_FOR_ALL = AWAY | {UNANSWERED, "store.busy"}


class Together:
    """Jobs of one kind in one process.

    ``run`` has a connection do a work, and ``around`` is what all jobs of a work are done in, such as a transaction.
    """

    def __init__(self, run: Run, around: Around) -> None:
        self._run = run
        self._around = around
        self._waiting: deque[Waiting] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """How many jobs nobody has begun yet."""
        return len(self._waiting)

    async def do(self, job: Job, *, undone: bool, order: str = "") -> Any:  # noqa: ANN401 - what the job answers
        """Do the job and return its answer once it is committed; see ``Access.write``."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        until = time.monotonic() + PATIENCE_SECONDS
        self._waiting.append(Waiting(job, future, durable=True, undone=undone, order=order, until=until))
        if sum(not task.done() for task in self._tasks) < AT_ONCE:  # one that is done takes nothing more
            task = loop.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def close(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._tasks)

    async def _work(self) -> None:
        while group := self._take():
            group.sort(key=attrgetter("order"))
            until = min(waiting.until for waiting in group)  # of nobody it is more than he has asked for
            try:
                deliver(await self._run(lambda authority, group=group: self._do(authority, group), until=until))  # type: ignore[misc] # a default binds the loop's value
            except Exception as error:  # noqa: BLE001 - every waiter is told, and the next group goes on
                deliver([(waiting.future, None, error) for waiting in group])

    def _take(self) -> list[Waiting]:
        """Return who comes next; who has waited for too long behind others is told so."""
        group: list[Waiting] = []
        while self._waiting and len(group) < GROUP_LIMIT:
            waiting = self._waiting.popleft()
            if waiting.until < time.monotonic():
                deliver([(waiting.future, None, silent(PATIENCE_SECONDS))])
            else:
                group.append(waiting)
        return group

    def _do(self, authority: Authority, group: list[Waiting]) -> list[Outcome]:
        """Do all in one transaction; where that fails by one of them, each alone.

        Where it fails by the database, or by somebody who holds the log's head for too long, all are told: each alone
        would wait for as long again.
        """
        try:
            return self._do_together(authority, group)
        except CountersealError as error:
            if error.code in _FOR_ALL or len(group) == 1:
                raise
        return [self._do_alone(authority, waiting) for waiting in group]

    def _do_together(self, authority: Authority, group: list[Waiting]) -> list[Outcome]:
        with self._around(authority), authority.store.recorded_together():
            return [_attempt(authority, waiting) for waiting in group]

    def _do_alone(self, authority: Authority, waiting: Waiting) -> Outcome:
        try:
            (outcome,) = patiently(lambda: self._do_together(authority, [waiting]), waiting.until)
        except Exception as error:  # noqa: BLE001 - it belongs to the one who asked
            return waiting.future, None, error
        return outcome


def _attempt(authority: Authority, waiting: Waiting) -> Outcome:
    """Do a job in a step of its own if it may have to be undone; what concerns the whole transaction is raised."""
    store = authority.store
    try:
        with store.unrecorded(), store.transaction() if waiting.undone else nullcontext():
            return waiting.future, waiting.job(authority), None
    except Exception as error:
        if isinstance(error, StoreError) and (not waiting.undone or error.code in AWAY | {CONFLICT}):
            raise
        return waiting.future, None, error
