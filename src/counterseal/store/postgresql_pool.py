"""Whether a pool in between hands the connections of the server to several clients at a time.

What is set for one client would then hold for another: that its commits wait for no flush, or it for no lock.
"""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING

from counterseal.errors import StoreError

if TYPE_CHECKING:
    from counterseal.store.postgresql_connection import PostgreSQL


def refuse_shared(connection: PostgreSQL, place: str) -> None:
    """Raise StoreError ``store.pooled`` where the connection is not its client's alone."""
    if _is_shared(connection):
        raise StoreError(
            "store.pooled",
            f"a connection pool hands the store's connections to several clients at a time: {place}",
            hint="connect to the database itself, or by a pool with pool_mode = session",
        )


def _is_shared(connection: PostgreSQL) -> bool:
    """Compare the server's own number of the connection, told twice, and of another one; a pool gives out its own."""
    first = _number(connection)
    if first == connection.line.info.backend_pid:
        return False
    if _number(connection) != first:
        return True
    with suppress(StoreError), closing(connection.again()) as other:  # of a pool that has no more, nobody takes ours
        return _number(other) == first
    return False


def _number(connection: PostgreSQL) -> int:
    (number,) = connection.execute("select pg_backend_pid()").fetchone() or (0,)
    return int(number)
