"""A service whose store is moved away ends: nothing of it counts any more, and the service knows no other one.

So does one whose store a newer program has upgraded: what it would write, it would write by the rules of before.
Nothing is read or written there from the move on, whoever asks (``Access.require_here``); here it is noticed by a
service that nobody asks, too.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from counterseal.errors import StoreError
from counterseal.service.log import log_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from counterseal.service.access import Access

LOOK_SECONDS = 1.0


@asynccontextmanager
async def until_moved(access: Access, stop: Callable[[], None]) -> AsyncIterator[None]:
    """Call ``stop`` once the store was moved away or upgraded, and raise that StoreError at the end of the block."""
    task = asyncio.create_task(_watch(access, stop))
    try:
        yield
    finally:
        task.cancel()
        (moved,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(moved, StoreError):
        raise moved


async def _watch(access: Access, stop: Callable[[], None]) -> StoreError:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            await access.require_here()
        except StoreError as error:  # a store that is away for a moment has not moved
            if error.code in {"store.moved", "store.too_new"}:
                log_error(
                    "store moved" if error.code == "store.moved" else "store upgraded",
                    code=error.code,
                    reason=error.message,
                )
                stop()
                return error
