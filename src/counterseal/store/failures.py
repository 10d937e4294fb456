"""What SQLite says went wrong, as one of our errors with a hint.

Decides by SQLite's result code (https://www.sqlite.org/rescode.html), never by its text.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from counterseal.errors import CountersealError, InputError, StoreError

if TYPE_CHECKING:
    from pathlib import Path

_FAILURES: dict[int, tuple[str, str, str]] = {
    sqlite3.SQLITE_BUSY: (
        "store.busy",
        "another process is writing to the store",
        "run the command again; if it stays busy, find the process that holds it with: fuser {path}",
    ),
    sqlite3.SQLITE_FULL: (
        "store.full",
        "the disk of the store is full",
        "free some space and run the command again: what was being written was rolled back",
    ),
    sqlite3.SQLITE_IOERR: (
        "store.io",
        "the store cannot be read or written",
        "check the disk, its free space and the limits of this process: what was being written was rolled back",
    ),
    sqlite3.SQLITE_READONLY: (
        "store.read_only",
        "the store is read-only",
        "run as the user who owns it, and see that neither the file nor its directory nor the disk is read-only",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "store.unreadable",
        "the store cannot be opened",
        "run as the user who owns it: its directory must be writable too, for the -wal and -shm files",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "store.corrupt",
        "the store is damaged",
        "the file was left as it is; restore a backup with: counterseal restore",
    ),
    sqlite3.SQLITE_NOTADB: (
        "store.corrupt",
        "the store is not a database or its first page is destroyed",
        "the file was left as it is; restore a backup with: counterseal restore",
    ),
    sqlite3.SQLITE_CONSTRAINT: (
        "store.constraint",
        "the store refused a row that breaks its rules",
        "this is a fault in Counterseal or a change made past it: please report it with this line",
    ),
}
_FAILURES[sqlite3.SQLITE_LOCKED] = _FAILURES[sqlite3.SQLITE_BUSY]
_FAILURES[sqlite3.SQLITE_PERM] = _FAILURES[sqlite3.SQLITE_READONLY]
_FAILURES[sqlite3.SQLITE_AUTH] = _FAILURES[sqlite3.SQLITE_READONLY]

FAULTS = (sqlite3.Error, OverflowError, UnicodeEncodeError)
"""What a statement can raise: SQLite's own, an integer past 64 bits, text that UTF-8 cannot hold."""


def store_error(error: Exception, path: Path) -> CountersealError:
    """Return the error to raise for what a statement on the store at ``path`` raised (one of ``FAULTS``)."""
    if not isinstance(error, sqlite3.Error):
        return InputError("store.value", f"a value the store cannot hold: {error}")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    known = _FAILURES.get(code)
    if known is None:
        return StoreError("store.failed", f"the store failed: {path}: {error}")
    name, what, hint = known
    return StoreError(name, f"{what}: {path}: {error}", hint=hint.format(path=path))
