"""One connection to the database: statements, transactions, and errors of one kind.

The tables' modules say what is asked; this one says how. Outside this room only ``transaction`` and ``close`` are
used. Everything in the tables' SQL is portable; what belongs to one database (placeholders, locks, error codes) is in
its ``Dialect``, beside the way it is opened.
"""

from __future__ import annotations

from contextlib import closing, contextmanager, nullcontext
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from counterseal.errors import StoreError
from counterseal.store.migrations import BEYOND, MOVED, refuse_beyond

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from counterseal.errors import CountersealError
    from counterseal.store.rows import Row

_NOTHING_MORE = nullcontext()
_AT_ONCE = 4096  # rows fetched at a time where a million are read: few enough not to be felt in memory


class Connection(Protocol):
    """What is used of a driver's connection, which is in autocommit: transactions are statements like others."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, also one that can only be rolled back any more."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Any:  # noqa: ANN401 - a driver's cursor
        """Run a statement whose values are ``?``, and return its cursor."""

    def executemany(self, statement: str, rows: Iterable[Row], /) -> Any:  # noqa: ANN401 - same
        """Run a statement once a row; the cursor counts all that were changed."""

    def close(self) -> None:
        """Close the connection."""


class Dialect(NamedTuple):
    """What differs between databases.

    ``faults`` is what a statement can raise, and ``error`` turns one of them, at the store of this name, into ours;
    ``write`` begins a transaction that writes while no other one does, ``write_together`` one beside others of its
    kind, ``write_soon`` one of these that a crash may forget, and ``begin`` runs one of them, then ``BEYOND``, and
    returns the first row of that; ``read`` begins one in which all statements see the same
    moment; ``stream`` reads without holding all rows; ``together`` sends what is run inside without waiting for each
    answer; ``clock`` is SQL for the database's own time in seconds;
    ``lock`` ends a select whose rows nobody else may change until this transaction ends, and
    ``skip_locked`` one that leaves out those that somebody else has so: nothing where one writes at a time.
    """

    faults: tuple[type[Exception], ...]
    error: Callable[[Exception, str], CountersealError]
    write: str
    write_together: str
    write_soon: str
    begin: Callable[[Any, str], Row | None]
    read: str
    stream: Callable[[Any, str, Sequence[Any]], Any]
    together: Callable[[Any], AbstractContextManager[object]]
    clock: str
    lock: str
    skip_locked: str


class _OurErrors:
    """Raises what a statement inside it raised as one of ours; it keeps nothing, so that one serves all statements."""

    def __init__(self, dialect: Dialect, place: str) -> None:
        self._dialect = dialect
        self._place = place

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, self._dialect.faults):
            raise self._dialect.error(error, self._place) from error


class Session:
    """A connection with its transactions; belongs to one thread. ``place`` is what the store is called in messages."""

    def __init__(self, connection: Connection, place: str, dialect: Dialect) -> None:
        self._connection = connection
        self._dialect = dialect
        self._our_errors = _OurErrors(dialect, place)
        self._depth = 0
        self._each_by_itself = False
        self.place = place

    @property
    def clock(self) -> str:
        """The database's own time in seconds, as SQL."""
        return self._dialect.clock

    @property
    def lock(self) -> str:
        """What ends a select whose rows are locked, as SQL; see ``Dialect``."""
        return self._dialect.lock

    @property
    def skip_locked(self) -> str:
        """What ends a select that claims rows, as SQL; see ``Dialect``."""
        return self._dialect.skip_locked

    def require_here(self) -> None:
        """Raise StoreError ``store.moved`` where the store was moved away, ``store.too_new`` where it was upgraded.

        Who begins to write is told so anyway.
        """
        refuse_beyond(self.place, self.row(BEYOND))

    def mark_moved(self, to: str) -> None:
        """Let nobody open this store or write to it, from the caller's transaction on; ``to`` is where it is now."""
        self.run("insert into schema_version (version, name) values (?, ?)", (MOVED, to))

    def close(self) -> None:
        """Close the connection; nothing committed is lost, nothing uncommitted is kept."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything inside durable together when the (outermost) block ends, or leave none of it.

        One inside another can fail by itself: it alone is undone, and the outer one may go on.
        """
        self._enter(self._dialect.write)
        try:
            yield
            self.commit()
        except BaseException:
            self.abandon()
            raise

    @contextmanager
    def each_by_itself(self) -> Iterator[None]:
        """Let each ``statement`` inside be on its own, whoever else is writing: for what concerns nobody else."""
        self._each_by_itself = True
        try:
            yield
        finally:
            self._each_by_itself = False

    def statement(self) -> AbstractContextManager[None]:
        """Make one writing statement durable, or a part of the transaction around it: it needs no step of its own."""
        if self._each_by_itself:
            return _NOTHING_MORE
        if not self._depth:
            return self.transaction()
        self._require_transaction()
        return _NOTHING_MORE

    def begin(self, *, alone: bool = True, durable: bool = True) -> None:
        """Begin a transaction that ``commit`` or ``abandon`` ends; for who cannot wait in between, see ``transaction``.

        Not ``alone``, others may write at the same time, as far as the database lets them: what is looked at and must
        stay so until the commit is locked (``lock``), or part of the statement that writes. Not ``durable``, it may be
        forgotten by a crash, but not if a later one is not. Raises StoreError ``store.busy`` when another one is
        writing for too long, ``store.moved`` where the store was moved away, ``store.too_new`` where a newer program
        has upgraded it.
        """
        dialect = self._dialect
        self._enter(dialect.write if alone else dialect.write_together if durable else dialect.write_soon)

    def commit(self) -> None:
        """End the innermost transaction; the outermost is on disk when this returns."""
        self.run("release step" if self._depth > 1 else "commit")
        self._depth -= 1

    def abandon(self) -> None:
        """End the innermost transaction and undo what it did; where the database is gone, it has undone it."""
        if not self._depth:
            return
        try:
            self._roll_back()
            if self._depth > 1 and self._connection.in_transaction:
                self.run("release step")
        finally:
            self._depth -= 1

    def _require_transaction(self) -> None:
        if not self._connection.in_transaction:
            raise StoreError("store.rolled_back", f"the store rolled back what was being written: {self.place}")

    def _enter(self, begin: str) -> None:
        if self._depth:
            self._require_transaction()
        # the write lock at once: a lock upgraded later could only fail
        try:
            if self._depth:
                self.run("savepoint step")
            else:
                self._begin(begin)
        except BaseException:
            if not self._depth:
                self._roll_back()
            raise
        self._depth += 1

    def _begin(self, begin: str) -> None:
        with self._our_errors:
            row = self._dialect.begin(self._connection, begin)
        refuse_beyond(self.place, row)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Every statement inside sees the same moment; a writing transaction around it has it so already."""
        if self._depth:
            yield
            return
        self.run(self._dialect.read)
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
        with self._our_errors:
            return int(self._connection.execute(statement, values).rowcount)

    def run_many(self, statement: str, rows: Iterable[Row]) -> int:
        """Return the number of rows changed by all of them."""
        values = list(rows)  # made before the first is written: in turns, each work is slower
        if len(values) == 1:
            return self.run(statement, values[0])  # a driver takes longer for many that are one
        with self._our_errors:
            return int(self._connection.executemany(statement, values).rowcount)

    def run_together(self, works: Iterable[tuple[str, Iterable[Row]]]) -> list[int]:
        """Run several statements, each once a row, sent in one go to a server; return the rows changed by each."""
        with self._our_errors:
            with self._dialect.together(self._connection):
                cursors = [self._connection.executemany(statement, list(rows)) for statement, rows in works]
            return [int(cursor.rowcount) for cursor in cursors]

    def row_behind(self, works: Iterable[tuple[str, Iterable[Row]]], statement: str) -> Row | None:
        """Run several statements as ``run_together`` does, then one more in the same go; return its first row."""
        with self._our_errors:
            with self._dialect.together(self._connection):
                for one, rows in works:
                    self._connection.executemany(one, list(rows))
                cursor = self._connection.execute(statement)
            row: Row | None = cursor.fetchone()
        return row

    def row(self, statement: str, values: Sequence[Any] = ()) -> Row | None:
        """Return the first row or None."""
        with self._our_errors:
            row: Row | None = self._connection.execute(statement, values).fetchone()
        return row

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return all rows."""
        with self._our_errors:
            rows: list[Row] = self._connection.execute(statement, values).fetchall()
        return rows

    def each(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """Yield the rows as they are read, for answers that do not fit in memory."""
        with self._our_errors, closing(self._dialect.stream(self._connection, statement, values)) as cursor:
            yield from cursor

    def column(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """Yield the one column of each row: lists of a million run through here."""
        with self._our_errors, closing(self._dialect.stream(self._connection, statement, values)) as cursor:
            while rows := cursor.fetchmany(_AT_ONCE):
                yield from chain.from_iterable(rows)
