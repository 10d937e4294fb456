"""One thread that does one thing after another for an event loop, such as waiting for the disk.

It is for what is done for nearly every request: an executor of the standard library makes three futures for each.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    Errand = tuple[Callable[[], Any], asyncio.Future[Any]]

T = TypeVar("T")


class Errands:
    """A thread of this name, which ends with ``close``."""

    def __init__(self, name: str) -> None:
        self._waiting: SimpleQueue[Errand | None] = SimpleQueue()
        self._thread = Thread(target=self._go, name=name, daemon=True)
        self._thread.start()

    def do(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Have ``work`` done after what was asked before; the future has its answer, or what it raised."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.put((work, future))
        return future

    def close(self) -> None:
        """Wait until all is done, and end the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _go(self) -> None:
        while (errand := self._waiting.get()) is not None:
            work, future = errand
            try:
                answer, error = work(), None
            except BaseException as raised:  # noqa: BLE001 - it belongs to the one who asked
                answer, error = None, raised
            with suppress(RuntimeError):  # the loop is closed, and nobody asks any more
                future.get_loop().call_soon_threadsafe(_settle, future, answer, error)


def _settle(future: asyncio.Future[Any], answer: object, error: BaseException | None) -> None:
    if future.done():
        return  # whoever asked has gone away
    if error is None:
        future.set_result(answer)
    else:
        future.set_exception(error)
