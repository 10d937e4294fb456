"""Bringing a PostgreSQL database to the schema of this program.

The same numbered files as in ``migrations.py``, all in one transaction under a lock that a second opener waits for.
What is written for every database is translated: the names of three types, and text in the order of code points.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from counterseal.errors import StoreError
from counterseal.store.migrations import MOVED, fill, migrations, moved, refuse_newer

if TYPE_CHECKING:
    from counterseal.store.migrations import Migration
    from counterseal.store.session import Connection

DIALECT = "postgresql"
LOCK = 0x43534541
"""Our advisory lock; the same four letters mark a store in SQLite."""

_VERSIONS = 'create table schema_version (version bigint not null primary key, name text collate "C" not null)'
_TABLES = "select count(*) from information_schema.tables where table_schema = current_schema()"
_MARKED = "select to_regclass('schema_version') is not null"
_COLUMN = re.compile(r"^( +(?:add column )?\w+|alter table \w+ add column \w+) (text|integer|blob)\b", re.MULTILINE)
_TYPES = {"text": 'text collate "C"', "integer": "bigint", "blob": "bytea"}


def steps() -> tuple[Migration, ...]:
    """Return the steps for PostgreSQL in order."""
    return migrations(dialect=DIALECT)


def schema_version(connection: Connection, place: str) -> int:
    """Return the version of the schema there, 0 where there is nothing at all.

    Raises StoreError ``store.foreign`` where there are tables of somebody else, ``store.moved``.
    """
    if connection.execute(_MARKED).fetchone()[0]:
        names = dict(connection.execute("select version, name from schema_version").fetchall())
        if MOVED in names:
            raise moved(place, names[MOVED])
        if names.get(1) == steps()[0].name:
            return int(max(names))
    elif not connection.execute(_TABLES).fetchone()[0]:
        return 0
    raise StoreError(
        "store.foreign",
        f"not a Counterseal store but another database: {place}",
        hint="it was left as it is; make one for the store alone: createdb counterseal",
    )


def upgrade(connection: Connection, place: str) -> tuple[int, int]:
    """Apply the missing steps; return the version before and after. Raises StoreError, psycopg.Error."""
    connection.execute("begin")
    try:
        connection.execute(f"select pg_advisory_xact_lock({LOCK})")
        found = schema_version(connection, place)
        newest = steps()[-1].version
        refuse_newer(place, found, newest)
        if not found:
            connection.execute(_VERSIONS)
        for step in steps():
            if step.version > found:
                connection.execute(translate(step.path.read_text(encoding="utf-8")))
                fill(connection, step)
                connection.execute(
                    "insert into schema_version (version, name) values (?, ?)", (step.version, step.name)
                )
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
    return found, newest


def translate(script: str) -> str:
    """Return a migration as PostgreSQL understands it; one that is for it alone has none of the three types."""
    return _COLUMN.sub(lambda match: f"{match[1]} {_TYPES[match[2]]}", script)
