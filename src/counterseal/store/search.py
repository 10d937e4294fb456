"""From a query to one statement that an index answers, and the cursor that continues it.

PURE: decides which index is read, in which order, and how far a cursor reaches; it is handed what runs a statement.

Without a name the order is by ``not_after``, then serial number: three ranges, one a status, merged. With a name it is
by the name that matched. A page is found by where the last one ended, so its cost does not grow with its distance.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.store.few import few_rows
from counterseal.store.pattern import Pattern, like, open_ended
from counterseal.store.records import CertificateRecord, Page, Query, Reservation, Status
from counterseal.store.rows import (
    CERTIFICATE_COLUMNS,
    Row,
    certificate_record,
    reserved_columns,
    search_values,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_ISSUED = (Status.VALID, Status.REVOKED, Status.HELD)
_LARGEST = (1 << 63) - 1
_SAME_ISSUER = "not c.issuer <> ?"
"""Beside a profile: SQLite goes by the index of profiles, which knows the issuer too, and reads no certificate in vain.

By that of issuers it would read them all for their profile. To PostgreSQL, which counts, it is the same as equal.
"""

_C = ", ".join(f"c.{column.strip()}" for column in CERTIFICATE_COLUMNS.split(","))


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with its values; each row is a sort key (text or integer) and then a certificate's columns."""

    sql: str
    values: Row


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: the sort key of its last row, serial number and issuer."""

    key: str | int
    serial_number: bytes
    issuer: str


def read_page(
    query: Query, read: Callable[[str, Row], list[Row]], in_blocks: Callable[[], Iterable[Reservation]] = tuple
) -> Page:
    """Return the page that ``query`` asks for; raises InputError for a foreign cursor.

    ``read`` runs a statement, ``in_blocks`` reads the reservations that are no rows of their own.
    """
    after = _decode_cursor(query)
    few = few_rows(query, read) if _is_by_name(query) else None
    if few is not None:
        return _page(query, list(_named(query, few, after)))
    is_shown = _new_filter(query)
    wanted = query.limit + 1  # one more than the page tells whether there is a next one
    found: list[tuple[Position, CertificateRecord]] = []
    while len(found) < wanted:
        asked = statement(query, after, limit=wanted)
        rows = read(asked.sql, asked.values)
        if query.status is Status.RESERVED:
            rows = sorted([*rows, *_reserved_in_blocks(query, after, in_blocks())], key=_place)[:wanted]
        for key, *columns in rows:
            after = Position(key, columns[0], columns[1])
            record = certificate_record(tuple(columns))
            if is_shown(key, record):
                found.append((after, record))
        if len(rows) < wanted:
            break
    return _page(query, found)


def _page(query: Query, found: list[tuple[Position, CertificateRecord]]) -> Page:
    page = found[: query.limit]
    cursor = _encode_cursor(page[-1][0]) if len(found) > query.limit else None
    return Page(tuple(record for _, record in page), cursor)


def _named(query: Query, rows: list[Row], after: Position | None) -> Iterator[tuple[Position, CertificateRecord]]:
    """Yield those of the certificates that have the name, in the order of the statement by name, from there on."""
    pattern = Pattern.of(query.name or "")
    found: list[tuple[tuple[str, bytes, str], CertificateRecord]] = []
    for row in rows:
        record = certificate_record(row)
        names = [value for value in search_values(record)[pattern.direction] if pattern.matches(value)]
        if names:
            found.append(((min(names), row[0], row[1]), record))
    least = None if after is None else (after.key, after.serial_number, after.issuer)
    for place, record in sorted(found, key=itemgetter(0)):
        if least is None or place > least:
            yield Position(*place), record


def statement(query: Query, after: Position | None, *, limit: int) -> Statement:
    """Return the statement for the ``limit`` rows of ``query`` that follow ``after``."""
    if query.status is Status.RESERVED:
        return _reserved(query, after, limit)
    return _by_name(query, after, limit) if _is_by_name(query) else _by_expiry(query, after, limit)


def _new_filter(query: Query) -> Callable[[str | int, CertificateRecord], bool]:
    """Return what says whether a row shows its certificate: one with several matching names is shown at the first."""
    if not _is_by_name(query):
        return lambda _key, _record: True
    pattern = Pattern.of(query.name or "")

    def is_first(key: str | int, record: CertificateRecord) -> bool:
        values = search_values(record)[pattern.direction]
        return len(values) == 1 or key == min(filter(pattern.matches, values), default=key)

    return is_first


def _encode_cursor(position: Position) -> str:
    """Return the position as opaque text."""
    kind = "i" if isinstance(position.key, int) else "t"
    text = "\0".join((kind, position.serial_number.hex(), position.issuer, str(position.key)))
    return urlsafe_b64encode(text.encode()).decode()


def _decode_cursor(query: Query) -> Position | None:
    """Return where ``query.after`` says to go on; raises InputError for what is not one of this query's cursors."""
    if query.after is None:
        return None
    position = _position(query.after)
    if position is None or isinstance(position.key, str) != _is_by_name(query) or "\0" in str(position.key):
        raise InputError(
            "query.cursor",
            f"not a cursor of this search: {query.after}",
            hint="pass the cursor of the page before with the same search",
        )
    return position


def _position(cursor: str) -> Position | None:
    try:
        kind, serial, issuer, key = urlsafe_b64decode(cursor.encode()).decode().split("\0", 3)
        position = Position(int(key) if kind == "i" else key, bytes.fromhex(serial), issuer)
    except ValueError:
        return None
    if isinstance(position.key, int) and abs(position.key) > _LARGEST:
        return None
    return position if _encode_cursor(position) == cursor else None  # the decoder passes over what is no base64


def _is_by_name(query: Query) -> bool:
    return query.status is not Status.RESERVED and query.name is not None and bool(query.name.strip("*"))


def _by_expiry(query: Query, after: Position | None, limit: int) -> Statement:
    """Read one range of an index for each status and merge them: a range stays one however the filters are combined."""
    statuses = _ISSUED if query.status is None else (query.status,)
    filters, values = _filters(query)
    if after is not None:
        filters.append("(c.not_after, c.serial_number, c.issuer) > (?, ?, ?)")
        values += (after.key, after.serial_number, after.issuer)
    where = " and ".join(filters)
    order = "order by c.not_after, c.serial_number, c.issuer limit ?"
    ranges = [
        f"select * from (select c.not_after as sort_key, {_C} from certificate c"  # noqa: S608 - constants only
        f" where c.status = '{status}' and c.not_after is not null{' and ' if where else ''}{where} {order}) r"
        for status in statuses
    ]
    sql = " union all ".join(ranges)
    if len(ranges) > 1:
        sql = f"select * from ({sql}) m order by sort_key, serial_number, issuer limit ?"  # noqa: S608 - constants only
    return Statement(sql, (*values, limit) * len(ranges) + ((limit,) if len(ranges) > 1 else ()))


def _by_name(query: Query, after: Position | None, limit: int) -> Statement:
    pattern = Pattern.of(query.name or "")
    filters, values = _filters(query)
    condition, bounds = pattern.range()
    ranges = [condition]
    if pattern.like is not None:
        ranges.append("n.value like ? escape '\\'")
        bounds += (pattern.like,)
    if after is not None:
        ranges.append("(n.value, n.serial_number, n.issuer) > (?, ?, ?)")
        bounds += (after.key, after.serial_number, after.issuer)
    if query.status is not None:
        filters.append("c.status = ?")
        values += (str(query.status),)
    sql = (
        f"select n.value as sort_key, {_C} from certificate_name n join certificate c"  # noqa: S608 - constants only
        f" on c.serial_number = n.serial_number and c.issuer = n.issuer where {' and '.join(ranges + filters)}"
        " order by n.value, n.serial_number, n.issuer limit ?"
    )
    return Statement(sql, (*bounds, *values, limit))


def _reserved(query: Query, after: Position | None, limit: int) -> Statement:
    """Read the reservations, oldest first; they have no times and no subject, so only some filters speak of them."""
    filters = ["c.status = 'reserved'"]
    values: Row = ()
    for column, value in (("issuer", query.issuer), ("profile", query.profile)):
        if value is not None:
            filters.append(f"c.{column} = ?")
            values += (value,)
    if query.name is not None:
        filters.append("lower(c.name) like ? escape '\\'")
        values += (like(query.name.lower()),)
    if after is not None:
        filters.append("(c.created_at, c.serial_number, c.issuer) > (?, ?, ?)")
        values += (after.key, after.serial_number, after.issuer)
    sql = (
        f"select c.created_at as sort_key, {_C} from certificate c where {' and '.join(filters)}"  # noqa: S608 - constants only
        " order by c.created_at, c.serial_number, c.issuer limit ?"
    )
    return Statement(sql, (*values, limit))


def _reserved_in_blocks(query: Query, after: Position | None, given: Iterable[Reservation]) -> Iterator[Row]:
    """Yield those that ``_reserved`` would find if they were rows, as it would."""
    pattern = re.compile(".*".join(map(re.escape, open_ended(query.name or "").lower().split("*"))), re.DOTALL)
    least = ("", b"", "") if after is None else (after.key, after.serial_number, after.issuer)
    for one in given:
        row = (one.created_at, *reserved_columns(one))
        if (
            (query.issuer in {None, one.issuer} and query.profile in {None, one.profile})
            and (after is None or _place(row) > least)
            and pattern.fullmatch(one.name.lower())
        ):
            yield row


def _place(row: Row) -> Row:
    return row[:3]  # the sort key, serial number and issuer


def _filters(query: Query) -> tuple[list[str], Row]:
    wanted = (
        ("c.profile = ?", query.profile),
        ("c.issuer = ?" if query.profile is None else _SAME_ISSUER, query.issuer),
        ("c.not_after >= ?", None if query.include_expired else query.at),
        ("c.not_after < ?", query.expires_before),
    )
    present = [(condition, value) for condition, value in wanted if value is not None]
    present += [("c.profile <> ?", profile) for profile in query.without_profiles]
    return [condition for condition, _ in present], tuple(value for _, value in present)
