"""Opening the database file: whose it is, how it writes, who may read it.

Decides that nothing is changed before the file is known to be ours: a foreign, damaged or newer one stays as it is.
"""

from __future__ import annotations

import os
import sqlite3
import time
from typing import TYPE_CHECKING

from counterseal.errors import StoreError
from counterseal.files import reason_of, sync_directory
from counterseal.store.failures import FAULTS, store_error
from counterseal.store.migrations import is_blank, is_ours, migrate, migrations

if TYPE_CHECKING:
    from pathlib import Path

MODE = 0o600
OLDEST_SQLITE = (3, 37, 0)  # strict tables (3.37) and returning (3.35)
CACHE_KIBIBYTES = 16_000
CHECKPOINT_PAGES = 8_000  # 32 MB: a batch of random serial numbers touches many pages, each checkpoint writes them once


def connect(path: Path, *, create: bool, busy_seconds: float, one_thread: bool = True) -> sqlite3.Connection:
    """Return a connection to our database at ``path``, brought to today's schema and ready to write.

    ``create`` makes the file (0600) when it is missing. Raises StoreError: ``store.missing``, ``store.foreign``,
    ``store.corrupt``, ``store.too_new``, ``store.busy``, ``store.read_only``, ``store.unreadable``, ``store.full``.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise _too_old()
    if create:
        _create_file(path)
    elif not path.exists():
        raise _missing(path)
    try:
        connection = sqlite3.connect(
            path, isolation_level=None, timeout=busy_seconds, cached_statements=256, check_same_thread=one_thread
        )
    except FAULTS as error:
        raise store_error(error, str(path)) from error
    try:
        _prepare(connection, path, create=create, deadline=time.monotonic() + busy_seconds)
    except FAULTS as error:
        connection.close()
        raise store_error(error, str(path)) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, *, create: bool, deadline: float) -> None:
    connection.execute(
        "pragma trusted_schema = off"
    )  # a schema changed by somebody else runs no functions of its choice
    if not is_ours(connection):
        _require_blank(connection, path, create=create)
    _require_whole_pages(connection, path)
    _narrow(path)
    _switch_to_wal(connection, path, deadline)
    connection.execute("pragma synchronous = full")  # a commit returns when it is on disk
    connection.execute("pragma foreign_keys = on")
    connection.execute(f"pragma cache_size = -{CACHE_KIBIBYTES}")
    connection.execute(f"pragma wal_autocheckpoint = {CHECKPOINT_PAGES}")
    migrate(connection, path, steps=migrations())


def _require_blank(connection: sqlite3.Connection, path: Path, *, create: bool) -> None:
    if not is_blank(connection):
        if is_ours(connection):
            return  # another opener made it between the two looks
        raise StoreError(
            "store.foreign",
            f"not a Counterseal store but another SQLite database: {path}",
            hint="the file was left as it is; choose another place for the store",
        )
    if not create:
        raise _missing(path)


def _switch_to_wal(connection: sqlite3.Connection, path: Path, deadline: float) -> None:
    """Ask until it is so: the first switch fails at once, whatever the timeout, when another opener is at it."""
    while True:
        try:
            mode = connection.execute("pragma journal_mode = wal").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            mode = "busy"
        if mode == "wal":
            return
        if time.monotonic() > deadline:
            raise StoreError(
                "store.no_wal",
                f"the store cannot keep a write-ahead log here: {path} (journal mode {mode})",
                hint="put it on a local file system; network file systems have no shared memory",
            )
        time.sleep(0.002)


def _create_file(path: Path) -> None:
    """Create an empty file with its mode, so that the database is never wider, not even for a moment."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE))
        path.chmod(MODE)  # the umask may have narrowed it
        sync_directory(path.parent)
    except FileExistsError:
        return
    except OSError as error:
        raise StoreError(
            "store.unreadable",
            f"the store cannot be created: {path}: {reason_of(error)}",
            hint="the directory must exist and be writable by this user",
        ) from error


def _require_whole_pages(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file whose end is cut off inside a page, which SQLite would fill up with zeros.

    With something in the write-ahead log the missing part may be there, after a crash: SQLite then judges by itself.
    """
    (page_size,) = connection.execute("pragma page_size").fetchone()
    log = path.with_name(path.name + "-wal")
    if path.stat().st_size % page_size and not (log.exists() and log.stat().st_size):
        raise StoreError(
            "store.corrupt",
            f"the store is damaged: {path}: cut off in the middle of a page",
            hint="the file was left as it is; restore a backup with: counterseal restore",
        )


def _narrow(path: Path) -> None:
    """Take away what others may do with the files; new -wal and -shm files get the mode of the database."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        file = path.with_name(name)
        if file.exists() and file.stat().st_mode & 0o077 and os.access(file, os.W_OK):
            file.chmod(MODE)


def _missing(path: Path) -> StoreError:
    return StoreError("store.missing", f"there is no store here: {path}", hint="make one with: counterseal init")


def _too_old() -> StoreError:
    return StoreError(
        "store.sqlite_too_old",
        f"this Python's SQLite is too old: {sqlite3.sqlite_version}",
        hint=f"use a Python built with SQLite {'.'.join(map(str, OLDEST_SQLITE))} or newer",
    )
