"""No question asked every day reads more than it answers: each is looked up in SQLite's own plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.store import issuance, key_use_log
from counterseal.store.acme import accounts, authorizations, orders
from counterseal.store.blocks import TAKE_AWAY
from counterseal.store.expiry import _COUNT, _NEXT_PROFILE
from counterseal.store.inventory import _BY_NAME, _BY_SERIAL, _KNOWN
from counterseal.store.records import Query, Status
from counterseal.store.revocations import _DELETE, _LAST, _MARK, _WHERE
from counterseal.store.search import Position, statement
from counterseal.store.tally import SINCE
from store_fixtures import NOW, certificate, issue, new_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.store.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Return a store with a few rows; the plan does not look at how many there are."""
    with new_store(tmp_path_factory.mktemp("plans")) as opened:
        issue(opened, *(certificate(number) for number in range(1, 50)))
        yield opened


def explain(store: Store, sql: str, values: tuple[object, ...] | None = None) -> list[tuple[int, str]]:
    """Return the lines of SQLite's plan, each with the number of the step it belongs to."""
    given = values if values is not None else (None,) * sql.count("?")
    return [(parent, line) for _, parent, _, line in store.rows(f"explain query plan {sql}", given)]


def plan(store: Store, sql: str, values: tuple[object, ...] | None = None) -> list[str]:
    """Return the lines of SQLite's plan."""
    return [line for _, line in explain(store, sql, values)]


def find_scans(lines: list[str]) -> list[str]:
    """List the scans of tables; of an index that holds reservations only, and of a finished page, are none."""
    scans = [line for line in lines if line.startswith("SCAN ") and line.split()[1] not in {"r", "m"}]
    return [line for line in scans if line != "SCAN c USING INDEX certificate_reserved"]


FILTERS = {
    "all": Query(),
    "status": Query(status=Status.REVOKED),
    "expiring": Query(status=Status.VALID, include_expired=False, at=NOW, expires_before=NOW + 1),
    "profile": Query(profile="client"),
    "without profiles": Query(without_profiles=("client-probe", "server-probe")),
    "issuer": Query(issuer="clients"),
    "both": Query(issuer="clients", profile="client", status=Status.VALID, expires_before=NOW),
    "profile of an issuer": Query(issuer="clients", profile="client"),
    "reserved": Query(status=Status.RESERVED),
}


@pytest.mark.parametrize("after", [None, Position(NOW, bytes(20), "clients")], ids=["first page", "later page"])
@pytest.mark.parametrize("query", FILTERS.values(), ids=FILTERS)
def test_a_listing_reads_one_range_of_an_index(store: Store, query: Query, after: Position | None) -> None:
    """In its order: nothing is scanned, and no range is sorted."""
    asked = statement(query, after, limit=100)
    lines = explain(store, asked.sql, asked.values)
    assert find_scans([line for _, line in lines]) == []
    reads = [(parent, line) for parent, line in lines if line.startswith(("SEARCH c ", "SCAN c "))]
    index = "certificate_reserved" if query.status is Status.RESERVED else "certificate_by_"
    assert len(reads) == (3 if query.status is None else 1)
    index += "profile (profile=? AND status=?" if query.profile and not query.expires_before else ""
    assert all(f"USING INDEX {index}" in line for _, line in reads)
    sorts = {parent for parent, line in lines if "TEMP B-TREE" in line}
    assert sorts & {parent for parent, _ in reads} == set()  # only finished pages are sorted, to merge them


def test_a_profile_of_an_issuer_goes_by_the_profile(tmp_path: Path) -> None:
    """However few certificates SQLite believes an issuer to have: of them it would read each one for its profile.

    Without statistics its releases choose differently between the two.
    """
    with new_store(tmp_path) as store:
        store.run("analyze")
        store.run("delete from sqlite_stat1")
        for index, counted in (("issuer", "9000 2 2 1 1"), ("profile", "9000 9000 9000 2 1 1")):
            values = ("certificate", f"certificate_by_{index}", counted)
            store.run("insert into sqlite_stat1 (tbl, idx, stat) values (?, ?, ?)", values)
        store.run("analyze sqlite_schema")
        for query, index in ((FILTERS["issuer"], "issuer"), (FILTERS["profile of an issuer"], "profile")):
            asked = statement(query, None, limit=100)
            reads = [line for line in plan(store, asked.sql, asked.values) if line.startswith("SEARCH c ")]
            assert len(reads) == 3
            assert all(f"USING INDEX certificate_by_{index} " in line for line in reads)


@pytest.mark.parametrize("query", FILTERS.values(), ids=FILTERS)
def test_a_later_page_starts_where_the_last_one_ended(store: Store, query: Query) -> None:
    """The cursor bounds the range of the index; it is not compared row by row from the beginning."""
    asked = statement(query, Position(NOW, bytes(20), "clients"), limit=100)
    column = "created_at" if query.status is Status.RESERVED else "not_after"
    for line in plan(store, asked.sql, asked.values):
        if line.startswith(("SEARCH c ", "SCAN c")):
            assert f"({column}" in line.replace(",", "(") or f"{column}>" in line


@pytest.mark.parametrize("status", [None, Status.REVOKED])
@pytest.mark.parametrize("name", ["web", "web*", "*.example.com", "*@example.com", "a*com"])
def test_a_name_reads_one_range_of_the_name_index(store: Store, name: str, status: Status | None) -> None:
    """The beginning of a name and a domain are ranges; each match is then looked up by its key."""
    asked = statement(Query(name=name, status=status), Position("web", bytes(20), "clients"), limit=100)
    lines = plan(store, asked.sql, asked.values)
    assert find_scans(lines) == []
    names, certificates = lines
    assert names.startswith("SEARCH n USING PRIMARY KEY")
    assert "direction=? AND value" in names or "(direction,value" in names
    assert certificates.startswith("SEARCH c USING INDEX sqlite_autoindex_certificate_1 (serial_number=? AND issuer=?)")


def test_a_word_in_the_middle_reads_the_name_index_alone(store: Store) -> None:
    """It cannot be a range, but never touches a certificate that does not match."""
    asked = statement(Query(name="*word*"), None, limit=100)
    names, certificates = plan(store, asked.sql, asked.values)
    assert names.startswith("SEARCH n USING PRIMARY KEY")
    assert certificates.startswith("SEARCH c USING INDEX sqlite_autoindex_certificate_1")


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        (_BY_SERIAL, "sqlite_autoindex_certificate_1 (serial_number=?)"),
        (_BY_NAME, "certificate_by_name (name=?)"),
        (_COUNT, "COVERING INDEX certificate_by_profile (profile=? AND status=? AND not_after>? AND not_after<?)"),
        (_NEXT_PROFILE, "COVERING INDEX certificate_by_profile (profile>?)"),
        (_KNOWN, "COVERING INDEX certificate_by_issuer (issuer=? AND status=? AND not_after>?)"),
        (issuance._RECORD, "sqlite_autoindex_certificate_1 (serial_number=? AND issuer=?)"),
        (issuance._RESERVED, "certificate_reserved (created_at<?)"),
        (TAKE_AWAY, "sqlite_autoindex_reserved_block_1 (first_number=? AND issuer=?)"),
        (_MARK, "sqlite_autoindex_certificate_1 (serial_number=? AND issuer=?)"),
        (_DELETE, "sqlite_autoindex_revocation_1 (issuer=? AND serial_number=?)"),
        (f"select crl_entry {_WHERE}", "COVERING INDEX revocation_in_order (issuer=?)"),
        (f"select serial_number {_WHERE}", "COVERING INDEX revocation_in_order (issuer=?)"),
        (_LAST, "COVERING INDEX revocation_by_time (issuer=?)"),
        (key_use_log._SELECT, "PRIMARY KEY (rowid>?)"),
    ],
)
def test_every_other_question_is_a_look_up(store: Store, sql: str, index: str) -> None:
    """Read through the index named, without a sort."""
    (line,) = plan(store, sql)
    assert index in line


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        (accounts.BY_ID, "sqlite_autoindex_acme_account_1 (id=?)"),
        (accounts.BY_THUMBPRINT, "sqlite_autoindex_acme_account_2 (thumbprint=?)"),
        (authorizations.BY_ID, "sqlite_autoindex_acme_authorization_1 (id=?)"),
        (authorizations.REUSABLE, "acme_authorization_reusable (account=? AND kind=? AND value=? AND wildcard=?"),
        (authorizations.ATTEMPTED, "acme_authorization_attempted"),
        (orders.BY_ID, "sqlite_autoindex_acme_order_1 (id=?)"),
        (orders.OF_ACCOUNT, "INDEX acme_order_by_account (account=? AND (created_at,id)>(?,?))"),
        (orders.REPLACING, "acme_order_replacing (replaces=?)"),
        (orders.BY_CERTIFICATE, "acme_order_by_certificate (serial_number=? AND issuer=?)"),
    ],
)
def test_every_question_of_acme_is_a_look_up(store: Store, sql: str, index: str) -> None:
    """Read through the index named, without a sort: the same cost at a thousand orders and a million."""
    (line,) = plan(store, sql)
    assert index in line


def test_a_step_of_the_tally_reads_no_more_than_it_counts(store: Store) -> None:
    """The log by its key from the last entry counted, each certificate by its own."""
    assert [line.partition(" USING ")[0] for line in plan(store, SINCE)] == ["SEARCH k", "SEARCH c"]


def test_a_scan_is_found(store: Store) -> None:
    """The test above can fail: a question without an index is seen."""
    assert find_scans(plan(store, "select * from certificate c where subject = 'x'")) == ["SCAN c"]
