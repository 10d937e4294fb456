"""Who waits for a job to be written, and how all of a group are told what became of theirs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from counterseal.errors import StoreError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from counterseal.authority.parts import Authority

    Job = Callable[[Authority], Any]
    Outcome = tuple[asyncio.Future[Any], Any, BaseException | None]

QUEUE_LIMIT = 2_000
"""Jobs that may wait; more are refused at once, which a client can act on."""


class Waiting(NamedTuple):
    """A job that waits to be written; see ``Access.write``."""

    job: Job
    future: asyncio.Future[Any]
    durable: bool
    undone: bool
    order: str = ""
    """What it is sorted by among those that share its transaction."""
    until: float = math.inf
    """How long whoever asked waits for a database that is away, by the monotonic clock."""


def overloaded() -> StoreError:
    """Return the error for who would have to wait behind too many."""
    return StoreError("store.overloaded", f"too much is waiting to be written: {QUEUE_LIMIT} jobs")


def deliver(outcomes: list[Outcome]) -> None:
    """Give the outcomes to those who wait for them."""
    for future, answer, error in outcomes:
        if future.done():
            continue  # whoever asked has gone away, or was answered before the commit
        if error is None:
            future.set_result(answer)
        else:
            future.set_exception(error)
