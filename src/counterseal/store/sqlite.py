"""The store in one SQLite file.

Durable: every method that writes returns after its commit is on disk (write-ahead log, ``synchronous=full``).
Any number of processes may have the file open on one host; a ``Store`` belongs to one thread.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from counterseal.errors import FileError, StoreError
from counterseal.files import reason_of
from counterseal.findings import Finding, Report, Severity
from counterseal.store.connection import MODE, connect
from counterseal.store.failures import FAULTS, store_error
from counterseal.store.migrations import BEYOND, require_here
from counterseal.store.session import Dialect
from counterseal.store.store import RETIRED, Store, too_broad

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from counterseal.store.rows import Row

__all__ = ["SQLiteStore", "Store", "open_store"]

BUSY_SECONDS = 10.0
STEPS = 10_000
"""Of SQLite's machine, between two looks at the clock: a few milliseconds."""


def _begin(connection: sqlite3.Connection, statement: str) -> Row | None:
    connection.execute(statement)
    row: Row | None = connection.execute(BEYOND).fetchone()
    return row


SQLITE = Dialect(
    faults=FAULTS,
    error=store_error,
    write="begin immediate",
    write_together="begin immediate",
    write_soon="begin immediate",
    begin=_begin,
    read="begin",
    stream=sqlite3.Connection.execute,
    together=nullcontext,
    clock="cast(strftime('%s', 'now') as integer)",
    lock="",
    skip_locked="",
)
_RESTORE = "restore a backup with: counterseal restore"


class SQLiteStore(Store):
    """The store in a file."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        super().__init__(connection, str(path), SQLITE)
        self.path = path
        self._file = connection

    def wait_never(self) -> None:
        """Fail at once where another process is writing; see ``Store``.

        What would undo a step of a transaction stays in memory, of which a file was made for each: half of all writes
        of a small transaction. Large ones, of a batch, are not written by who never waits.
        """
        self.run("pragma busy_timeout = 0")
        self.run("pragma temp_store = memory")

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """End what takes longer; see ``Store``."""
        until = time.monotonic() + seconds
        self._file.set_progress_handler(lambda: time.monotonic() > until, STEPS)
        try:
            yield
        except StoreError as error:
            if getattr(error.__cause__, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
                raise too_broad(seconds) from error
            raise
        finally:
            self._file.set_progress_handler(None, 0)

    def watch(self) -> Callable[[], bytes | None]:
        """Return what reads the header of the write-ahead log in shared memory; see ``Store``."""
        from counterseal.store.wal_index import wal_index  # noqa: PLC0415 - what only a service needs

        index = wal_index(self.path)
        return super().watch() if index is None else index.header

    def size(self) -> int:
        """Return the size of the file."""
        return self.path.stat().st_size

    def check(self) -> Report:
        """Read every page and index and say what does not fit: minutes at millions of rows, for doctor and restore."""
        return Report(
            tuple(
                Finding("store.corrupt", Severity.CRITICAL, line, where=self.place, hint=_RESTORE)
                for line in self._damages()
            )
        )

    def retire(self, moved_to: str) -> None:
        """Mark it, and refuse every change to what counts; see ``Store``."""
        self.mark_moved(moved_to)
        told = moved_to.replace("'", "''")
        for table, event in RETIRED:
            self.run(
                f"create trigger {table}_retired_{event} before {event} on {table}"
                f" begin select raise(abort, 'this store was moved to {told}'); end"
            )

    def snapshot(self, destination: Path) -> None:
        """Write a consistent copy; see ``Store``."""
        claim(destination)
        try:
            _copy(self._file, destination)
        except BaseException as error:
            with suppress(OSError):
                destination.unlink()
            if isinstance(error, FAULTS):
                raise store_error(error, str(destination)) from error
            raise

    def _damages(self) -> Iterator[str]:
        try:
            yield from (line for (line,) in self.rows("pragma integrity_check") if line != "ok")
            yield from (f"a row of {table} refers to nothing" for table, *_ in self.rows("pragma foreign_key_check"))
        except StoreError as error:
            yield error.message


def open_store(
    path: Path, *, create: bool = False, busy_seconds: float = BUSY_SECONDS, one_thread: bool = True
) -> SQLiteStore:
    """Open the store at ``path``, migrating it when it is older; ``create`` makes a new one where there is none.

    Raises StoreError with a code for each way a file can be unusable; see ``connection.connect``.
    """
    path = path.absolute()
    return SQLiteStore(connect(path, create=create, busy_seconds=busy_seconds, one_thread=one_thread), path)


def claim(destination: Path) -> None:
    """Make an empty file for a copy (0600); raises FileError where there is one, or none can be made."""
    try:
        os.close(os.open(destination, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE))
    except FileExistsError as error:
        raise FileError("file.exists", f"file exists already: {destination}", hint="choose another name") from error
    except OSError as error:
        raise FileError("file.write", f"cannot write {destination}: {reason_of(error)}") from error


def finish_copy(destination: Path) -> None:
    """Make a copy one file, without a log of its own, and flush it to disk."""
    with closing(sqlite3.connect(destination, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode = delete")
    descriptor = os.open(destination, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_aside(path: Path, aside: Path) -> None:
    """Rename a store that was moved away, with its log, which is empty then; whoever has it open may read it still.

    A log left behind would be taken for that of another store of the old name.
    """
    with closing(sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    for end in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):  # the last to close it takes the log away
            path.with_name(path.name + end).rename(aside.with_name(aside.name + end))


def _copy(source: sqlite3.Connection, destination: Path) -> None:
    with closing(sqlite3.connect(destination, isolation_level=None)) as target:
        source.backup(target)  # all pages in one step: one moment, and writers go on beside it
    finish_copy(destination)


def schema_version(path: Path) -> int:
    """Return the version of the schema of a store, without changing it; raises StoreError."""
    try:
        # with mode=ro SQLite would leave its log and index behind
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            require_here(connection, str(path.absolute()))
            return int(connection.execute("select max(version) from schema_version").fetchone()[0])
    except FAULTS as error:
        raise store_error(error, str(path)) from error
