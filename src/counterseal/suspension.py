"""Functions written as if they waited, run in an event loop that goes on meanwhile.

A job for the store is a plain function, also where each of its statements goes to a server and back. Run by
``in_the_loop`` it has a stack of its own (a greenlet) and is suspended at each wait, and the loop does other work until
the answer is there. There is no thread, so nobody contends for the interpreter. Everywhere else, on the command line
and in a thread, the same function waits where it stands.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar, cast

from greenlet import getcurrent, greenlet

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


class _Job(greenlet):
    """A function under way in the event loop, whose coroutine is its parent."""


async def in_the_loop(job: Callable[[], T]) -> T:
    """Return what ``job`` returns, or raise what it raises; what it waits for is awaited here."""
    current = _Job(job)
    step: Any = current.switch()
    while not current.dead:
        try:
            answer = await step
        except BaseException as error:  # noqa: BLE001 - it belongs to the job
            step = current.throw(error)
        else:
            step = current.switch(answer)
    result: T = step
    return result


def can_suspend() -> bool:
    """Whether this is code that runs ``in_the_loop``."""
    return isinstance(getcurrent(), _Job)


def wait_for(awaitable: Awaitable[T]) -> T:
    """Suspend the job until the awaitable is done, and return its answer; only where ``can_suspend``."""
    answer: T = cast("greenlet", getcurrent().parent).switch(
        awaitable
    )  # whatever runs the coroutine of ``in_the_loop``
    return answer


def sleep(seconds: float) -> None:
    """Go on after so many seconds."""
    if can_suspend():
        wait_for(asyncio.sleep(seconds))
    else:
        time.sleep(seconds)


def apart(work: Callable[[], T]) -> T:
    """Return what ``work`` returns, which waits by itself: from the loop, in a thread."""
    return wait_for(asyncio.to_thread(work)) if can_suspend() else work()
