"""Searches by a name that many certificates share, among few: those are read instead, and their names looked at here.

The index of names knows no status, profile or issuer, so each match would be looked up in turn: a million of them for a
page that stays empty, while another index says at once that there are only a few in question. Where few have the name,
its own index is the shorter way, so those are counted first, and never further than it matters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.store.pattern import Pattern
from counterseal.store.rows import CERTIFICATE_COLUMNS, certificate_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.store.records import CertificateRecord, Query
    from counterseal.store.rows import Row

FEW = 1_000
LOOK_UPS = 10
"""So many matches of a name are looked up in the time that one certificate is read here, with its names."""

_ISSUED = "not_after is not null and status in ('valid', 'revoked', 'held')"


def few_rows(query: Query, read: Callable[[str, Row], list[Row]]) -> list[Row] | None:
    """Return the rows of all certificates that fit the query but for its name; None where it is better asked by name.

    That is so where they may be many, or are not far fewer than those that have the name.
    """
    conditions = (("status", query.status), ("profile", query.profile), ("issuer", query.issuer))
    given = [(column, str(value)) for column, value in conditions if value is not None]
    few = _limit(query.name or "", read) if given else 0
    for column, value in given if few else ():
        where = f"from certificate where {column} = ? and {_ISSUED}"
        if _count(f"select 1 as one {where}", (value,), few, read) <= few:
            rows = read(f"select {CERTIFICATE_COLUMNS} {where}", (value,))
            return [row for row in rows if _fits(query, certificate_record(row))]
    return None


def _limit(name: str, read: Callable[[str, Row], list[Row]]) -> int:
    """Return how many certificates may be read instead of looking up all that have the name."""
    pattern = Pattern.of(name)
    ranges, bounds = pattern.range()
    values = f"select 1 as one from certificate_name n where {ranges}"  # noqa: S608 - constants only
    reach = FEW if pattern.like is None else FEW * LOOK_UPS
    names = _count(values, bounds, reach, read)
    if pattern.like is not None and names <= reach:
        names = _count(f"{values} and n.value like ? escape '\\'", (*bounds, pattern.like), FEW, read)
    return FEW if names > FEW else names // LOOK_UPS


def _count(statement: str, values: Row, limit: int, read: Callable[[str, Row], list[Row]]) -> int:
    """Return how many rows there are, one more than the limit where they are more than that."""
    ((count,),) = read(f"select count(*) from ({statement} limit ?) f", (*values, limit + 1))  # noqa: S608 - constants only
    return int(count)


def _fits(query: Query, record: CertificateRecord) -> bool:
    return (
        query.status in {None, record.status}
        and query.profile in {None, record.profile}
        and query.issuer in {None, record.issuer}
        and record.profile not in query.without_profiles
        and (query.include_expired or query.at is None or record.not_after >= query.at)
        and (query.expires_before is None or record.not_after < query.expires_before)
    )
