"""What was read from a shared store and is used again without asking, until it is announced that it has changed.

Decides when that is safe: only while the database itself says, several times a second, that everything announced was
heard. When the connection is lost, or falls silent for half a second, nothing that was kept counts any more; all is
asked for anew, then and after every new connection.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from counterseal.errors import CountersealError
from counterseal.service.log import log, log_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.store.announcements import Listener

BEAT_SECONDS, HEARD_SECONDS = 0.1, 0.5
"""How often the database is asked whether all was heard, and how long its answer counts from the question on."""

SILENCE_SECONDS, PAUSE_SECONDS = 5.0, 0.2
KEPT = 20_000
"""What is kept at most, and remembered of what was announced; beyond that the oldest go."""


class Moment(NamedTuple):
    """When something was read: on which connection, after how many announcements."""

    connection: int
    announcements: int


class _Kept(NamedTuple):
    value: Any
    moment: Moment


class Announced:
    """What one process keeps; ``listen`` connects, None where nothing is announced. For the event loop alone."""

    def __init__(self, listen: Callable[[], Listener | None]) -> None:
        self._listen = listen
        self._connections = self._announcements = 0
        self._heard_until = 0.0
        self._deaf = False
        self._changed: dict[str, int] = {}
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="listen")

    def moment(self) -> Moment | None:
        """Return the moment before something is read, None while nothing would be heard; begins to listen."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())
        return Moment(self._connections, self._announcements) if self._hears() else None

    def keep(self, subject: str, value: object, moment: Moment) -> None:
        """Keep what was read of the subject after this moment."""
        self._kept[subject] = _Kept(value, moment)
        self._kept.move_to_end(subject)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def recall(self, subject: str) -> Any:  # noqa: ANN401 - whatever was kept
        """Return what is known of the subject, None where it has to be asked for."""
        kept = self._kept.get(subject)
        if kept is None or not self._hears() or kept.moment.connection != self._connections:
            return None
        return kept.value if self._changed.get(subject, 0) <= kept.moment.announcements else None

    async def close(self) -> None:
        """Hear no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown()

    def _hears(self) -> bool:
        return time.monotonic() < self._heard_until

    async def _work(self) -> None:
        while True:
            try:
                listener = await self._run(self._listen)
                if listener is None:
                    return
                await self._hear(listener)
            except CountersealError as error:
                self._heard_until = 0.0
                if not self._deaf:  # once, and not five times a second
                    log_error("not listening to the database", code=error.code, reason=error.message)
                self._deaf = True
            await asyncio.sleep(PAUSE_SECONDS)

    async def _hear(self, listener: Listener) -> None:
        """Note what is announced until the connection is lost; raises StoreError."""
        self._begin()
        self._deaf = False
        log("listening to the database")
        try:
            while True:
                began = time.monotonic()
                work = self._run(lambda: listener.hear(BEAT_SECONDS))
                work.add_done_callback(lambda done: done.exception())  # of the last one, cut off, nobody wants to know
                while not (await asyncio.wait({work}, timeout=SILENCE_SECONDS))[0]:
                    listener.cut()
                for subject in work.result():
                    self._note(subject)
                self._heard_until = began + HEARD_SECONDS
        finally:
            listener.cut()
            self._thread.submit(listener.close)

    def _run(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _begin(self) -> None:
        """Let nothing count that was read before."""
        self._heard_until = 0.0
        self._connections += 1
        self._changed.clear()

    def _note(self, subject: str) -> None:
        self._announcements += 1
        if len(self._changed) >= KEPT:
            self._begin()
        self._changed[subject] = self._announcements
        self._kept.pop(subject, None)
