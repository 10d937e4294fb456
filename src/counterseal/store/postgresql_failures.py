"""What PostgreSQL says went wrong, as one of our errors with a hint.

Decides by SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), never by its text.
"""

from __future__ import annotations

import struct

import psycopg

from counterseal.errors import CountersealError, InputError, StoreError

FAULTS = (psycopg.Error, OverflowError, UnicodeEncodeError, struct.error)
"""What a statement can raise: the driver's own, an integer past 64 bits, text that UTF-8 cannot hold."""

_BUSY = ("55P03", "57014")
_CONFLICT = ("40001", "40P01")
_GONE = ("08", "57P", "53300")
_DENIED = ("42501", "25006")


def postgresql_error(error: Exception, place: str) -> CountersealError:
    """Return the error to raise for what a statement on the store at ``place`` raised (one of ``FAULTS``)."""
    if not isinstance(error, psycopg.Error) or isinstance(error, psycopg.DataError):
        return InputError("store.value", f"a value that the store cannot hold: {_reason(error)}")
    what, state = f"{place}: {_reason(error)}", error.sqlstate or ""
    if state in _BUSY:
        return StoreError(
            "store.busy",
            f"another process is writing to the store: {what}",
            hint="run the command again; while it stays busy, find who holds it in pg_stat_activity",
        )
    if state in _CONFLICT:
        return StoreError(
            "store.conflict", f"two processes waited for each other's rows: {what}", hint="run the command again"
        )
    if state.startswith(_GONE) or (not state and isinstance(error, psycopg.OperationalError)):
        return unreachable(what)
    return _refused(state, what)


def unreachable(what: str) -> StoreError:
    """Return the error for a database that does not answer, or went away in the middle."""
    return StoreError(
        "store.unreachable",
        f"the store's database cannot be reached: {what}",
        hint="see that it runs and takes connections from here; what was being written may have been rolled back",
    )


def read_only(what: str) -> StoreError:
    """Return the error for a database that takes no writing: a standby, or one whose transactions may only read."""
    return StoreError(
        "store.read_only",
        f"the store is read-only: {what}",
        hint="the database must be the primary, and the role own its tables",
    )


def _refused(state: str, what: str) -> CountersealError:
    if state.startswith("53"):
        return StoreError(
            "store.full",
            f"the database of the store is out of space or memory: {what}",
            hint="free some and run the command again: what was being written was rolled back",
        )
    if state.startswith("23"):
        return StoreError(
            "store.constraint",
            f"the store refused a row that breaks its rules: {what}",
            hint="this is a fault in Counterseal, or a change made past it: please report this line",
        )
    if state in _DENIED:
        return read_only(what)
    if state.startswith("XX"):
        return StoreError(
            "store.corrupt", f"the database of the store is damaged: {what}", hint="restore a backup of the database"
        )
    if state == "25P02":
        return StoreError("store.rolled_back", f"the store rolled back what was being written: {what}")
    return StoreError("store.failed", f"the store failed: {what}")


def _reason(error: Exception) -> str:
    """Return the first line: the others quote statements and point into them."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
