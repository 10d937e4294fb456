"""One connection to the database: statements, transactions, and errors of one kind.

The tables' modules say what is asked; this one says how. Outside this room only ``transaction`` and ``close`` are
used. Everything in the tables' SQL is portable; what belongs to one database (placeholders, locks, error codes) stays
here and in ``sqlite.py``.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

from counterseal.errors import StoreError
from counterseal.store.failures import FAULTS, store_error

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from counterseal.store.rows import Row

_AT_ONCE = 4096  # rows fetched at a time where a million are read: few enough not to be felt in memory


class Session:
    """A connection with its transactions; belongs to one thread."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._depth = 0
        self.path = path

    def close(self) -> None:
        """Close the connection; nothing committed is lost, nothing uncommitted is kept."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything inside durable together when the (outermost) block ends, or leave none of it.

        One inside another can fail by itself: it alone is undone, and the outer one may go on.
        """
        self._enter()
        try:
            yield
            self.commit()
        except BaseException:
            self.abandon()
            raise

    @contextmanager
    def statement(self) -> Iterator[None]:
        """Make one writing statement durable, or a part of the transaction around it: it needs no step of its own."""
        if not self._depth:
            with self.transaction():
                yield
            return
        self._require_transaction()
        yield

    def begin(self) -> None:
        """Begin a transaction that ``commit`` or ``abandon`` ends; for who cannot wait in between, see ``transaction``.

        Raises StoreError ``store.busy`` when another one is writing for too long.
        """
        self._enter()

    def commit(self) -> None:
        """End the innermost transaction; the outermost is on disk when this returns."""
        self.run("release step" if self._depth > 1 else "commit")
        self._depth -= 1

    def abandon(self) -> None:
        """End the innermost transaction and undo what it did."""
        if self._depth:
            self._roll_back()
            if self._depth > 1 and self._connection.in_transaction:
                self.run("release step")
            self._depth -= 1

    def _require_transaction(self) -> None:
        if not self._connection.in_transaction:
            raise StoreError("store.rolled_back", f"the store rolled back what was being written: {self.path}")

    def _enter(self) -> None:
        if self._depth:
            self._require_transaction()
        # the write lock at once: a lock upgraded later could only fail
        self.run("savepoint step" if self._depth else "begin immediate")
        self._depth += 1

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Every statement inside sees the same moment."""
        self.run("begin")
        try:
            yield
        finally:
            self._roll_back()

    def _roll_back(self) -> None:
        """Undo what the innermost block has done."""
        if self._connection.in_transaction:  # a full disk makes SQLite roll back by itself
            self.run("rollback to step" if self._depth > 1 else "rollback")

    def run(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Return the number of rows changed."""
        try:
            return self._connection.execute(statement, values).rowcount
        except FAULTS as error:
            raise store_error(error, self.path) from error

    def run_many(self, statement: str, rows: Iterable[Row]) -> int:
        """Return the number of rows changed by all of them."""
        try:
            return self._connection.executemany(statement, rows).rowcount
        except FAULTS as error:
            raise store_error(error, self.path) from error

    def row(self, statement: str, values: Sequence[Any] = ()) -> Row | None:
        """Return the first row or None."""
        try:
            row: Row | None = self._connection.execute(statement, values).fetchone()
        except FAULTS as error:
            raise store_error(error, self.path) from error
        return row

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return all rows."""
        try:
            return self._connection.execute(statement, values).fetchall()
        except FAULTS as error:
            raise store_error(error, self.path) from error

    def each(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """Yield the rows as they are read, for answers that do not fit in memory."""
        try:
            yield from self._connection.execute(statement, values)
        except FAULTS as error:
            raise store_error(error, self.path) from error

    def column(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """Yield the one column of each row: lists of a million run through here."""
        try:
            cursor = self._connection.execute(statement, values)
            while rows := cursor.fetchmany(_AT_ONCE):
                yield from chain.from_iterable(rows)
        except FAULTS as error:
            raise store_error(error, self.path) from error
