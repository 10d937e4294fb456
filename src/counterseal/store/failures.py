"""What SQLite says went wrong, as one of our errors with a hint.

Decides by SQLite's result code (https://www.sqlite.org/rescode.html), never by its text.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.errors import CountersealError, InputError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS = (sqlite3.Error, OverflowError, UnicodeEncodeError)
"""What a statement can raise: SQLite's own, an integer past 64 bits, text that UTF-8 cannot hold."""


def store_error(error: Exception, path: str) -> CountersealError:
    """Return the error to raise for what a statement on the store at ``path`` raised (one of ``FAULTS``)."""
    if not isinstance(error, sqlite3.Error):
        return InputError("store.value", f"a value that the store cannot hold: {error}")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code: the low octet of the extended one
    known = _FAILURES.get(code, _failed)
    return known(f"{path}: {error}", path)


def _busy(what: str, path: str) -> StoreError:
    return StoreError(
        "store.busy",
        f"another process is writing to the store: {what}",
        hint=f"run the command again; while it stays busy, find the process that holds it with: fuser {path}",
    )


def _full(what: str, _: str) -> StoreError:
    return StoreError(
        "store.full",
        f"the disk of the store is full: {what}",
        hint="free some space and run the command again: what was being written was rolled back",
    )


def _io(what: str, _: str) -> StoreError:
    return StoreError(
        "store.io",
        f"the store cannot be read or written: {what}",
        hint="check the disk, its free space and the limits of this process; what was being written was rolled back",
    )


def _read_only(what: str, _: str) -> StoreError:
    return StoreError(
        "store.read_only",
        f"the store is read-only: {what}",
        hint="run as the user who owns it, and see that neither the file nor its directory nor the disk is read-only",
    )


def _unreadable(what: str, path: str) -> StoreError:
    if not os.access(Path(path).parent, os.W_OK):
        return _read_only(f"{what}: the directory cannot be written", path)
    return StoreError(
        "store.unreadable",
        f"the store cannot be opened: {what}",
        hint="run as the user who owns it; what is at that path must be a file",
    )


def _corrupt(what: str, _: str) -> StoreError:
    return StoreError(
        "store.corrupt",
        f"the store is damaged or no store at all: {what}",
        hint="the file was left as it is; restore a backup with: counterseal restore",
    )


def _constraint(what: str, _: str) -> StoreError:
    return StoreError(
        "store.constraint",
        f"the store refused a row that breaks its rules: {what}",
        hint="this is a fault in Counterseal, or a change made past it: please report this line",
    )


def _failed(what: str, _: str) -> StoreError:
    return StoreError("store.failed", f"the store failed: {what}")


_FAILURES: dict[int, Callable[[str, str], StoreError]] = {
    sqlite3.SQLITE_BUSY: _busy,
    sqlite3.SQLITE_LOCKED: _busy,
    sqlite3.SQLITE_FULL: _full,
    sqlite3.SQLITE_IOERR: _io,
    sqlite3.SQLITE_READONLY: _read_only,
    sqlite3.SQLITE_PERM: _read_only,
    sqlite3.SQLITE_AUTH: _read_only,
    sqlite3.SQLITE_CANTOPEN: _unreadable,
    sqlite3.SQLITE_CORRUPT: _corrupt,
    sqlite3.SQLITE_NOTADB: _corrupt,
    sqlite3.SQLITE_CONSTRAINT: _constraint,
}
