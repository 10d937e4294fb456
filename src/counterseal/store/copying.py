"""A whole store into another, empty one: every row of every table, or nothing.

Decides how it is known that nothing was lost: rows are counted and hashed as they are read, and once more as they are
read back. The hash of a table is the sum of the SHA-256 of its rows, so it does not depend on their order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING

from counterseal.errors import StoreError
from counterseal.store.migrations import migrations

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from counterseal.store.rows import Row
    from counterseal.store.store import Store

_AT_ONCE = 4096
_TABLE = re.compile(r"^create table (\w+)", re.MULTILINE)
_PARENTS_FIRST = """
    with recursive tree (name, depth) as (
        select name, 0 from ca where parent is null
        union all select ca.name, tree.depth + 1 from ca join tree on ca.parent = tree.name
    ) select ca.* from ca join tree on tree.name = ca.name order by tree.depth
"""
_SUCCESSOR = 10  # its column of ca: new ones come behind it
_SUCCESSIONS = "select successor, name from ca where successor is not null"
_HEAD = "key_use_head"
"""It has its one row in a new store already, which only goes forward and cannot be taken away."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a table holds: its rows, counted and hashed."""

    table: str
    rows: int
    hash: str


def tables() -> tuple[str, ...]:
    """Return the tables in the order in which they were made: one that refers to another comes after it."""
    found = (name for step in migrations() for name in _TABLE.findall(step.path.read_text(encoding="utf-8")))
    return tuple(dict.fromkeys(found))  # one that was made anew stays where it was


def copy_store(source: Store, target: Store) -> tuple[Contents, ...]:
    """Copy ``source`` into ``target`` inside writing transactions of the caller on both; return what was copied.

    Raises StoreError: ``store.not_empty`` where the target has a CA already, ``store.copy_differs`` when what is read
    back is not what was read, or its log of key uses does not hold together.
    """
    if target.cas():
        raise not_empty(target.place)
    copied = tuple(_copy(source, target, table) for table in tables())
    for one in copied:
        found = contents(target, one.table)
        if found != one:
            raise StoreError("store.copy_differs", f"the copy differs from the store: {found} is not {one}")
    faults = target.verify_key_uses().findings
    if faults:
        raise StoreError("store.copy_differs", f"the log of key uses is not intact: {faults[0].message}")
    return copied


def not_empty(place: str) -> StoreError:
    """Return what to raise when there is a CA where the store shall be."""
    return StoreError(
        "store.not_empty",
        f"the store to move to has a CA already: {place}",
        hint="use an empty database; a file that is left there can be moved away",
    )


def contents(store: Store, table: str) -> Contents:
    """Return what a table holds."""
    tally = _Tally()
    for row in _rows(store, table):
        tally.add(row)
    return tally.contents(table)


def _copy(source: Store, target: Store, table: str) -> Contents:
    tally = _Tally()
    if table != _HEAD:
        target.run(f"delete from {table}")  # noqa: S608 - same; a new store begins with a row in some
    if table == "ca":
        return _copy_cas(source, target)
    rows = iter(_rows(source, table))
    while chunk := list(islice(rows, _AT_ONCE)):
        for row in chunk:
            tally.add(row)
        if table == _HEAD:
            target.run("update key_use_head set sequence = ?, hash = ?", chunk[0][1:])
        else:
            _insert(target, table, chunk)
    return tally.contents(table)


def _copy_cas(source: Store, target: Store) -> Contents:
    """Copy each CA below its parent; its successor, which may be any other one, once all are there."""
    tally = _Tally()
    rows = list(_rows(source, "ca"))
    for row in rows:
        tally.add(row)
    at = _SUCCESSOR
    _insert(target, "ca", [(*row[:at], None, *row[at + 1 :]) for row in rows])
    target.run_many("update ca set successor = ? where name = ?", list(source.each(_SUCCESSIONS)))
    return tally.contents("ca")


def _insert(target: Store, table: str, rows: Sequence[Row]) -> None:
    places = ", ".join("?" * len(rows[0]))
    target.run_many(f"insert into {table} values ({places})", rows)  # noqa: S608 - names of our own tables


def _rows(store: Store, table: str) -> Iterable[Row]:
    return store.each(_PARENTS_FIRST if table == "ca" else f"select * from {table}")  # noqa: S608 - same


class _Tally:
    def __init__(self) -> None:
        self._rows = 0
        self._sum = 0

    def add(self, row: Row) -> None:
        self._rows += 1
        digest = sha256(repr(row).encode("utf-8", "surrogatepass")).digest()
        self._sum = (self._sum + int.from_bytes(digest, "big")) % (1 << 256)

    def contents(self, table: str) -> Contents:
        return Contents(table, self._rows, f"{self._sum:064x}")
