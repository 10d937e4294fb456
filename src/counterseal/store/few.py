"""Searches by a name that many certificates share, among few: those are read instead, and their names looked at here.

The index of names knows no status, profile or issuer, so each match would be looked up in turn: a million of them for a
page that stays empty, while another index says at once that there are only a few in question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.store.rows import CERTIFICATE_COLUMNS, certificate_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.store.records import CertificateRecord, Query
    from counterseal.store.rows import Row

FEW = 1_000
_ISSUED = "not_after is not null and status in ('valid', 'revoked', 'held')"


def few_rows(query: Query, read: Callable[[str, Row], list[Row]]) -> list[Row] | None:
    """Return the rows of all certificates that fit the query but for its name; None where they may be many."""
    for column, value in (("status", query.status), ("profile", query.profile), ("issuer", query.issuer)):
        if value is None:
            continue
        where = f"from certificate where {column} = ? and {_ISSUED}"
        ((count,),) = read(f"select count(*) from (select 1 as one {where} limit ?) f", (str(value), FEW + 1))  # noqa: S608 - constants only
        if count <= FEW:
            rows = read(f"select {CERTIFICATE_COLUMNS} {where}", (str(value),))
            return [row for row in rows if _fits(query, certificate_record(row))]
    return None


def _fits(query: Query, record: CertificateRecord) -> bool:
    return (
        query.status in {None, record.status}
        and query.profile in {None, record.profile}
        and query.issuer in {None, record.issuer}
        and record.profile not in query.without_profiles
        and (query.include_expired or query.at is None or record.not_after >= query.at)
        and (query.expires_before is None or record.not_after < query.expires_before)
    )
