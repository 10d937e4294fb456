"""A look at something that may not answer, for who cannot wait for it: one at a time, and an answer within seconds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

ANSWER_SECONDS = 2.5
"""Who scrapes or asks whether a service is ready gives up after a few seconds himself."""


class Probe(Generic[T]):
    """Looks, and goes on looking when nobody waits any more: no second look takes another thread or connection."""

    def __init__(self, look: Callable[[], Coroutine[None, None, T]]) -> None:
        self._look = look
        self._looking: asyncio.Task[T] | None = None

    async def answer(self) -> T | None:
        """Return what was seen, or None where that takes longer; raises what the look does."""
        if self._looking is None or self._looking.done():  # what was seen when nobody waited any more is old
            self._looking = asyncio.create_task(self._look())
        looking = self._looking
        await asyncio.wait({looking}, timeout=ANSWER_SECONDS)
        return looking.result() if looking.done() else None
