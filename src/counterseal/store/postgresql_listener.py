"""Being told by PostgreSQL what changes (LISTEN), on a connection that is for nothing else.

Decides when silence means that nothing has changed: only the server's answer to a question says so, because a
connection may look well and be dead. What a transaction announced is delivered before the answer to a question that
was asked after its commit had returned, unless a pool in between hands questions to whichever connection is free: then
``LISTEN`` belongs to nobody. So an announcement of our own, made on another connection, must arrive while this one asks
nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from counterseal.store.announcements import CHANNEL, MOVED
from counterseal.store.migrations import BEYOND, moved, refuse_beyond
from counterseal.store.postgresql_failures import FAULTS, postgresql_error, unreachable
from counterseal.store.records import LogHead

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg

    from counterseal.store.postgresql_connection import PostgreSQL
    from counterseal.store.rows import Row

_SOON = "begin; set local synchronous_commit = off"
"""An announcement is a commit; nobody needs this one on disk."""

_ALL_HEARD = "select pg_is_in_recovery(), sequence, hash from (select 1) as one left join key_use_head on true"
_HAS = b"select 1 from key_use where sequence = %s and hash = %s"


class PostgreSQLListener:
    """See ``announcements.Listener``; ``connection`` is its own from now on."""

    def __init__(self, connection: PostgreSQL, place: str) -> None:
        self._connection = connection
        self._place = place
        self._other: PostgreSQL | None = None
        self.head: LogHead | None = None
        self._line: psycopg.Connection[Row] = connection.line  # this one alone: one made anew has not heard all
        try:
            self._line.execute(f"listen {CHANNEL}".encode())
            refuse_beyond(place, connection.execute(BEYOND).fetchone())
        except FAULTS as error:
            self.close()
            raise postgresql_error(error, place) from error
        except BaseException:
            self.close()
            raise

    def hear(self, seconds: float) -> set[str]:
        """Return what was announced; see ``Listener``."""
        try:
            may_not_write, *head = self._line.execute(_ALL_HEARD).fetchone() or (True,)
            if may_not_write:
                raise unreachable(f"{self._place}: the server has become a standby")
            self.head = LogHead(*head) if None not in head else None
            return self._heard(self._line.notifies(timeout=seconds, stop_after=1))
        except FAULTS as error:
            raise postgresql_error(error, self._place) from error

    def hear_own(self, mark: str, seconds: float) -> set[str]:
        """Return what is announced until our own announcement arrives; see ``Listener``."""
        heard = set[str]()
        try:
            self._other = self._other or self._connection.again()
            until = time.monotonic() + seconds
            self._other.execute(_SOON)
            self._other.execute("select pg_notify(?, ?)", (CHANNEL, mark))
            self._other.execute("commit")
            while mark not in heard and (left := until - time.monotonic()) > 0:
                heard.update(self._heard(self._line.notifies(timeout=left, stop_after=1)))
        except FAULTS as error:
            raise postgresql_error(error, self._place) from error
        return heard

    def has(self, head: LogHead) -> bool:
        """Return whether the log of key uses has that entry; see ``Listener``."""
        try:
            return self._line.execute(_HAS, head).fetchone() is not None
        except FAULTS as error:
            raise postgresql_error(error, self._place) from error

    def cut(self) -> None:
        """End whatever waits; see ``Listener``."""
        for one in self._connections():
            one.cut()

    def close(self) -> None:
        """Close the connections."""
        for one in self._connections():
            one.close()

    def _heard(self, notifications: Iterable[psycopg.Notify]) -> set[str]:
        heard = {one.payload for one in notifications}
        for subject in heard:
            if subject.startswith(MOVED):
                raise moved(self._place, subject.removeprefix(MOVED))
        return heard

    def _connections(self) -> list[PostgreSQL]:
        return [self._connection, *([self._other] if self._other else [])]
