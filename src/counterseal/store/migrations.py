"""Bringing a database to the schema of this program.

Numbered SQL files, each applied once, all in one transaction under the write lock: of several openers one migrates, the
others wait and find the work done. ``NNNN_name.sql`` is for every database, ``NNNN_name.sqlite.sql`` for this one;
``postgresql_schema.py`` does the same in PostgreSQL.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from counterseal.errors import StoreError
from counterseal.store.compromised_keys import add_those_of_before

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.store.rows import Row
    from counterseal.store.session import Connection

_STEPS = "[0-9]*.sql"
_FILES = sorted(Path(__file__).with_name("schema").glob(_STEPS))
"""All steps, for whatever database, looked for once: under a process that runs, a newer program may be installed.

Steps that it found later would have it migrate its store, or refuse it, by what it does not know.
"""

DIALECT = "sqlite"
APPLICATION_ID = 0x43534541  # "CSEA", in the header of every store: https://www.sqlite.org/fileformat.html 1.3.11

MOVED = 1 << 30
"""The version of a store that was moved to another place, under the name of that; no program will ever know it.

So a program that has never heard of moves refuses such a store too, as a newer one's.
"""

COMPROMISED_KEYS = next(path for path in _FILES if path.stem.endswith("_compromised_key"))
"""The step that ``fill`` is for."""

NEWEST = int(_FILES[-1].name.partition("_")[0])
"""The last step that this program knows, for whatever database."""

BEYOND = f"select version, name from schema_version where version > {NEWEST} order by version desc limit 1"  # noqa: S608 - a constant
"""What finds the mark of a store that was moved, or of one that a newer program has upgraded; see ``refuse_beyond``."""

_VERSIONS = (
    "create table if not exists schema_version (version integer not null primary key, name text not null) strict"
)


class Migration(NamedTuple):
    """One step: its number, the file's name and where it lies."""

    version: int
    name: str
    path: Path


def migrations(directory: Path | None = None, dialect: str = DIALECT) -> tuple[Migration, ...]:
    """Return the steps for a database in order: those of this program, or those of the directory."""
    steps = []
    for path in _FILES if directory is None else sorted(directory.glob(_STEPS)):
        stem, _, only = path.name.removesuffix(".sql").partition(".")
        if only in {"", dialect}:
            steps.append(Migration(int(stem.partition("_")[0]), path.name, path))
    return tuple(steps)


def migrate(connection: sqlite3.Connection, path: Path, *, steps: tuple[Migration, ...]) -> None:
    """Apply the missing steps; raises StoreError (``store.too_new``, ``store.moved``), sqlite3.Error."""
    newest = steps[-1].version
    if is_ours(connection):
        require_here(connection, str(path))
        refuse_newer(str(path), _version(connection), newest)
        if _version(connection) == newest:
            return
    connection.execute("begin immediate")
    try:
        _upgrade(connection, path, steps)
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


def is_ours(connection: sqlite3.Connection) -> bool:
    """Whether the database carries our mark."""
    return bool(connection.execute("pragma application_id").fetchone()[0] == APPLICATION_ID)


def is_blank(connection: sqlite3.Connection) -> bool:
    """Whether the database has neither a mark nor a table: just created."""
    marked = connection.execute("pragma application_id").fetchone()[0]
    return not marked and not connection.execute("select count(*) from sqlite_master").fetchone()[0]


def _upgrade(connection: sqlite3.Connection, path: Path, steps: tuple[Migration, ...]) -> None:
    connection.execute(f"pragma application_id = {APPLICATION_ID}")
    connection.execute(_VERSIONS)
    require_here(connection, str(path))  # again: another one may have held the lock until now
    found = _version(connection)
    refuse_newer(str(path), found, steps[-1].version)
    for step in steps:
        if step.version > found:
            _apply(connection, step)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("select coalesce(max(version), 0) from schema_version").fetchone()[0])


def _apply(connection: sqlite3.Connection, step: Migration) -> None:
    for statement in _statements(step.path.read_text(encoding="utf-8")):
        connection.execute(_strict(statement))
    fill(connection, step)
    connection.execute("insert into schema_version (version, name) values (?, ?)", (step.version, step.name))


def fill(connection: Connection, step: Migration) -> None:
    """Do what a step needs beside its statements, in the same transaction: there is one whose rows no SQL can make."""
    if step.path == COMPROMISED_KEYS:
        add_those_of_before(connection)


def _statements(script: str) -> Iterator[str]:
    """Yield the statements one by one: ``executescript`` would commit before the first."""
    pending = ""
    for line in script.splitlines(keepends=True):
        if not line.startswith("--"):
            pending += line
        if sqlite3.complete_statement(pending):
            yield pending.strip()
            pending = ""


def _strict(statement: str) -> str:
    """Make SQLite hold a table to its types, as PostgreSQL does anyway (https://www.sqlite.org/stricttables.html)."""
    if not statement.startswith("create table"):
        return statement
    table = statement.removesuffix(";")
    return f"{table}, strict" if table.endswith("without rowid") else f"{table} strict"


def require_here(connection: sqlite3.Connection, path: str) -> None:
    """Raise StoreError ``store.moved`` where the store was moved to another place, ``store.too_new``."""
    refuse_beyond(path, connection.execute(BEYOND).fetchone())


def refuse_beyond(place: str, row: Row | None) -> None:
    """Raise StoreError ``store.moved`` or ``store.too_new`` for what ``BEYOND`` has found there."""
    if row is None:
        return
    version, to = row
    if version == MOVED:
        raise moved(place, to)
    refuse_newer(place, version, NEWEST)


def moved(place: str, to: str) -> StoreError:
    """Return what to raise at the store of this place, which was moved to another one."""
    return StoreError(
        "store.moved",
        f"the store was moved from {place} to {to}",
        hint="have [store] in counterseal.toml name that place, as the same db move does, or leave it out for a file;"
        " then restart what serves",
    )


def refuse_newer(path: str, found: int, newest: int) -> None:
    """Raise StoreError ``store.too_new`` when the database has a schema that this program does not know."""
    if found > newest:
        raise StoreError(
            "store.too_new",
            f"the store was made by a newer Counterseal: {path} has schema {found}, this program knows {newest}",
            hint="upgrade this program; the store was not changed",
        )
