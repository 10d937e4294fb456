"""Work in the background of a service: repeated with its pause between, and never fatal."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from counterseal.errors import CountersealError
from counterseal.service.log import log_error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from counterseal.authority.parts import Authority
    from counterseal.service.access import Access
    from counterseal.service.parts import Upkeep


@asynccontextmanager
async def upkeep(works: Sequence[Upkeep]) -> AsyncIterator[None]:
    """Do each of the works again and again while the block runs."""
    tasks = [asyncio.create_task(_repeat(work), name=work.name) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def in_steps(access: Access, drop: Callable[[Authority], int], limit: int) -> None:
    """Have ``drop``, which takes away ``limit`` rows at most and says how many, done until it finds fewer.

    Each step is a job of its own, so nobody waits for it; and as much goes as has come since, however much that is.
    """
    while await access.write(drop) == limit:
        pass


async def _repeat(work: Upkeep) -> None:
    pause = 0.0 if work.at_once else work.seconds
    while True:
        await asyncio.sleep(pause)
        pause = work.seconds
        try:
            await work.do()
        except CountersealError as error:
            log_error("upkeep failed", upkeep=work.name, code=error.code, reason=error.message)
        except Exception:  # noqa: BLE001 - the next time may succeed
            log_error("upkeep failed", trace=True, upkeep=work.name)
