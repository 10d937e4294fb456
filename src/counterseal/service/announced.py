"""What was read from a shared store and is used again without asking, until it is announced that it has changed.

Decides when that is safe: only while the database itself says, several times a second, that everything announced was
heard. When the connection is lost, or falls silent for half a second, nothing that was kept counts any more; all is
asked for anew, then and after every new connection. At first, and every ten seconds, an announcement of our own must
arrive: where a connection pool swallows them, nothing is kept until one does.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from counterseal.errors import CountersealError
from counterseal.service.log import log, log_error
from counterseal.store.announcements import OWN

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from counterseal.store.announcements import Listener
    from counterseal.store.records import LogHead

T = TypeVar("T")

BEAT_SECONDS, HEARD_SECONDS = 0.1, 0.5
"""How often the database is asked whether all was heard, and how long its answer counts from the question on."""

SILENCE_SECONDS, PAUSE_SECONDS = 5.0, 0.2
OWN_SECONDS, OWN_ARRIVES_SECONDS = 10.0, 2.0
"""How often an announcement of our own is made, and how long it may take."""

_POOL = "connect to the database itself, or by a pool that leaves a connection to one client (pool_mode = session)"
_LOST = "the database lacks the last commits, as after a failover: it does not know what was signed or revoked in them"
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
        self._complaint = ""
        self._own_due = 0.0
        self._changed: dict[str, int] = {}
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._listener: Listener | None = None
        self._head: LogHead | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="listen")

    def moment(self) -> Moment | None:
        """Return the moment before something is read, None while nothing would be heard."""
        return Moment(self._connections, self._announcements) if self.hears else None

    @property
    def hears(self) -> bool:
        """Whether what is kept counts now."""
        return time.monotonic() < self._heard_until

    def begin(self) -> None:
        """Listen from now on."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())

    def keep(self, subject: str, value: object, moment: Moment) -> None:
        """Keep what was read of the subject after this moment."""
        self._kept[subject] = _Kept(value, moment)
        self._kept.move_to_end(subject)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def recall(self, subject: str) -> Any:  # noqa: ANN401 - whatever was kept
        """Return what is known of the subject, None where it has to be asked for."""
        kept = self._kept.get(subject)
        if kept is None or not self.hears or kept.moment.connection != self._connections:
            return None
        return kept.value if self._changed.get(subject, 0) <= kept.moment.announcements else None

    async def close(self) -> None:
        """Hear no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.submit(self._hang_up)
        await asyncio.to_thread(self._thread.shutdown)

    def _connect(self) -> Listener | None:
        self._listener = self._listen()
        return self._listener

    def _hang_up(self) -> None:
        """Close a connection that was made for a task which did not wait for it any more."""
        if self._listener is not None:
            self._listener.close()

    async def _work(self) -> None:
        while True:
            try:
                listener = await self._run(self._connect)
                if listener is None:
                    return
                await self._hear(listener)
            except CountersealError as error:
                self._heard_until = 0.0
                self._complain("not listening to the database", code=error.code, reason=error.message)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _hear(self, listener: Listener) -> None:
        """Note what is announced until the connection is lost; raises StoreError."""
        self._forget()
        self._own_due, arrives = 0.0, False
        try:
            await self._look_for_the_head(listener)
            while True:
                if time.monotonic() >= self._own_due:
                    arrives = await self._hear_own(listener, arrived=arrives)
                began = time.monotonic()
                self._note(await self._answer(listener, lambda: listener.hear(BEAT_SECONDS)))
                self._head = listener.head or self._head
                self._heard_until = began + HEARD_SECONDS if arrives else 0.0
        finally:
            listener.cut()
            self._thread.submit(listener.close)

    async def _look_for_the_head(self, listener: Listener) -> None:
        """Tell where the log of key uses lacks what it had: a failover has lost commits, or this is an old primary."""
        known = self._head
        if known is None or await self._answer(listener, lambda: listener.has(known)):
            return
        self._head = None
        anchor = f"{known.sequence}:{known.hash.hex()}"
        log_error("the log of CA keys has lost its end", code="log.anchor", anchor=anchor, reason=_LOST)

    async def _hear_own(self, listener: Listener, *, arrived: bool) -> bool:
        """Return whether an announcement of our own arrives, as the last one has ``arrived`` or not."""
        mark = OWN + token_hex(8)
        heard = await self._answer(listener, lambda: listener.hear_own(mark, OWN_ARRIVES_SECONDS))
        self._note(heard)
        self._own_due = time.monotonic() + OWN_SECONDS
        arrives = mark in heard
        if not arrives:
            self._complain("announcements of the database do not arrive", code="store.not_announced", reason=_POOL)
        elif not arrived:
            self._forget()
            self._complaint = ""
            log("listening to the database")
        return arrives

    def _complain(self, complaint: str, *, code: str, reason: str) -> None:
        """Log what is wrong, once as long as it stays so."""
        if complaint != self._complaint:
            log_error(complaint, code=code, reason=reason)
        self._complaint = complaint

    async def _answer(self, listener: Listener, ask: Callable[[], T]) -> T:
        """Return what is asked of the listener; a server that says nothing for long is cut off."""
        work = self._run(ask)
        work.add_done_callback(lambda done: done.exception())  # of the last one, cut off, nobody wants to know
        while not (await asyncio.wait({work}, timeout=SILENCE_SECONDS))[0]:
            listener.cut()
        answer: T = work.result()
        return answer

    def _run(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _forget(self) -> None:
        """Let nothing count that was read before."""
        self._heard_until = 0.0
        self._connections += 1
        self._changed.clear()

    def _note(self, subjects: Collection[str]) -> None:
        for subject in subjects:
            if subject.startswith(OWN):
                continue
            self._announcements += 1
            if len(self._changed) >= KEPT:
                self._forget()
            self._changed[subject] = self._announcements
            self._kept.pop(subject, None)
