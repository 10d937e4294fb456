"""Pages of certificates: each exactly once, in order, whatever the filters; compared with a plain loop."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counterseal.errors import InputError
from counterseal.store.records import CARecord, CertificateRecord, Query, Status
from counterseal.store.rows import search_values
from store_fixtures import DAY, NOW, certificate, issue, new_store, reservation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.store.rows import Row
    from counterseal.store.store import Store

pytestmark = pytest.mark.usefixtures("each_database")

STAFF = CARecord("staff", "client", None, b"", "key-2", "active", NOW)
WORDS = ["a.example.com", "b.example.com", "*.example.com", "ann@example.com", "web_1", "web%1", "straße.example", "x"]
HOLD = "certificate_hold"
HUGE = [urlsafe_b64encode(f"i\0001\0staff\0{key}".encode()).decode() for key in (1 << 63, -1 << 70, "9" * 5000)]


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Return a store with 240 certificates in every combination, many of them equal in what they are sorted by."""
    with new_store(tmp_path_factory.mktemp("inventory"), STAFF) as store:
        records = [
            certificate(
                1000 + number * 7919 % 240,
                issuer=("clients", "staff")[number % 2],
                profile=("client", "canary", "server")[number // 2 % 3],
                name=f"{WORDS[number % 8]}-{number % 5}",
                subject=f"CN={WORDS[number % 7].upper()},OU=ops",
                names=(f"DNS:{WORDS[number % 3]}", f"DNS:{WORDS[number % 4]}", f"email:{WORDS[3]}")[: number % 4],
                not_after=NOW + number // 20 * DAY,
            )
            for number in range(240)
        ]
        issue(store, *records)
        for record in records[::5]:
            reason = HOLD if record.serial_number % 2 else "superseded"
            store.revoke(record.serial_number, at=NOW, reason=reason, crl_entry=b"")
        store.reserve_many([reservation(certificate(number, created_at=NOW + number % 3)) for number in range(1, 30)])
        yield store


def read_all(store: Store, query: Query) -> list[CertificateRecord]:
    """Read every page."""
    found: list[CertificateRecord] = []
    while True:
        page = store.search(query)
        assert len(page.records) <= query.limit
        found.extend(page.records)
        if page.next is None:
            return found
        assert len(page.records) == query.limit
        query = replace(query, after=page.next)


def expected(store: Store, query: Query) -> set[int]:
    """Answer the query by looking at every certificate."""
    every = [store.certificate(number) for number in range(1000, 1240)]
    return {record.serial_number for record in every if _fits(record, query)}


def _fits(record: CertificateRecord, query: Query) -> bool:
    pattern = (query.name or "*").lower()
    pattern = pattern if "*" in pattern else pattern + "*"
    values = search_values(record)[0]
    if pattern.startswith(("*.", "*@")):
        values = {value for value in values if not value.startswith("cn=")}
    return (
        query.status in {None, record.status}
        and query.profile in {None, record.profile}
        and record.profile not in query.without_profiles
        and query.issuer in {None, record.issuer}
        and (query.expires_before is None or record.not_after < query.expires_before)
        and (query.include_expired or record.not_after >= (query.at or 0))
        and any(fnmatchcase(value, pattern.replace("[", "[[]").replace("?", "[?]")) for value in values)
    )


NAMES = st.sampled_from(
    [
        "web",
        "WEB_",
        "web%*",
        "*.example.com",
        "*@example.com",
        "*.com",
        "*example*",
        "a*com",
        "*",
        "cn=x",
        "straße",
        "*-3",
    ]
)
TIMES = st.integers(-1, 13).map(lambda days: NOW + days * DAY)
QUERIES = st.builds(
    Query,
    status=st.sampled_from([None, Status.VALID, Status.REVOKED, Status.HELD]),
    profile=st.sampled_from([None, "client", "canary", "nothing"]),
    without_profiles=st.sampled_from([(), ("canary",), ("canary", "server")]),
    name=st.none() | NAMES,
    issuer=st.sampled_from([None, "clients", "staff"]),
    expires_before=st.none() | TIMES,
    include_expired=st.booleans(),
    at=TIMES,
    limit=st.integers(1, 60),
)


@given(QUERIES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_hold_every_match_exactly_once(inventory: Store, query: Query) -> None:
    """Any combination of filters and any page size: no certificate is lost between pages and none comes twice."""
    found = [record.serial_number for record in read_all(inventory, query)]
    assert len(found) == len(set(found))
    assert set(found) == expected(inventory, query)


@given(QUERIES, NAMES)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_few_are_found_as_many_are(inventory: Store, query: Query, name: str) -> None:
    """Where a status, profile or issuer has few certificates they are read, and the pages are the same."""
    asked = replace(query, name=name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("counterseal.store.few.LOOK_UPS", 1)
        few = read_all(inventory, asked)
        patch.setattr("counterseal.store.few.FEW", 10)
        assert read_all(inventory, asked) == few


def test_few_are_not_looked_for_among_all_of_a_name(inventory: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nothing has is known without a look-up of the certificates that have the name, which are all of these."""
    asked: list[str] = []
    rows = inventory.rows

    def noted(sql: str, values: Row) -> list[Row]:
        asked.append(sql)
        return rows(sql, values)

    monkeypatch.setattr(inventory, "rows", noted)
    assert inventory.search(Query(name="cn=*", profile="nothing")).records == ()
    assert asked
    assert not [sql for sql in asked if "certificate_name n join" in sql]


@pytest.mark.parametrize("name", ["x-3", "*.example-3", "*aße*-3"])
def test_what_few_have_the_name_of_is_looked_up(inventory: Store, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """By the index of names alone: nothing is read of the others that the condition fits, however few they are."""
    asked: list[str] = []
    rows = inventory.rows

    def noted(sql: str, values: Row) -> list[Row]:
        asked.append(sql)
        return rows(sql, values)

    monkeypatch.setattr(inventory, "rows", noted)
    assert inventory.search(Query(name=name, profile="client")).records
    assert [sql for sql in asked if "certificate_name n join" in sql]
    assert not [sql for sql in asked if "from certificate where" in sql]


@given(QUERIES.map(lambda query: replace(query, name=None)))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_are_in_order_of_expiry(inventory: Store, query: Query) -> None:
    """Also across statuses, which are separate ranges of the index."""
    keys = [(record.not_after, record.serial_number) for record in read_all(inventory, query)]
    assert keys == sorted(keys)


def test_a_page_is_not_moved_by_what_comes_before_it(tmp_path: Path) -> None:
    """A certificate issued between two pages shifts nothing: the cursor says where to go on, not how many to skip."""
    with new_store(tmp_path) as store:
        issue(store, *(certificate(number, not_after=NOW + number) for number in range(10, 20)))
        first = store.search(Query(limit=5))
        issue(store, *(certificate(number, not_after=NOW + number) for number in range(1, 5)))
        second = store.search(Query(limit=5, after=first.next))
        serials = [record.serial_number for record in first.records + second.records]
        assert serials == list(range(10, 20))
        assert second.next is None


def test_a_certificate_with_several_matching_names_is_one_row(tmp_path: Path) -> None:
    """A page of one still moves on, over as many names as there are."""
    names = tuple(f"DNS:host-{number}.example.com" for number in range(20))
    with new_store(tmp_path) as store:
        issue(store, certificate(1, names=names), certificate(2, names=names[10:]))
        found = read_all(store, Query(name="host", limit=1))
        assert [record.serial_number for record in found] == [1, 2]
        found = read_all(store, Query(name="*.example.com", limit=1))
        assert [record.serial_number for record in found] == [1, 2]


def test_reservations_are_listed_when_asked_for(inventory: Store) -> None:
    """Oldest first, in pages, and by the filters that they have."""
    found = read_all(inventory, Query(status=Status.RESERVED, limit=4))
    assert len(found) == 29
    assert [record.created_at for record in found] == sorted(record.created_at for record in found)
    assert all(earlier != later for earlier, later in pairwise(found))
    assert read_all(inventory, Query(status=Status.RESERVED, issuer="staff")) == []
    assert len(read_all(inventory, Query(status=Status.RESERVED, name="CLIENT*"))) == 29


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("web_", ["web_1"]),  # an underscore is no wildcard
        ("WEB*1", ["web%1", "web_1", "webx1"]),
        ("*.example.com", ["*.example.com", "a.b.example.com", "ann@x.example.com"]),
        ("*@example.com", ["ann@example.com"]),
        ("*example.com", ["*.example.com", "a.b.example.com", "ann@example.com", "ann@x.example.com", "example.com"]),
        ("example.com", ["example.com"]),
        ("a*com", ["a.b.example.com", "ann@example.com", "ann@x.example.com"]),
        ("\U0010ffff", ["\U0010ffff\U0010ffff"]),
        ("\ud7ff", ["\ud7ff!"]),
        ("back\\", ["back\\slash"]),
        ("back\\*sh", ["back\\slash"]),
    ],
)
def test_what_a_pattern_means(tmp_path: Path, pattern: str, found: list[str]) -> None:
    """Each kind of pattern on names made to be mistaken for a match."""
    every = ["web_1", "web%1", "webx1", "example.com", "notexample.org", "a.b.example.com", "*.example.com", "\ud7ff!"]
    every += ["ann@example.com", "ann@x.example.com", "\U0010ffff\U0010ffff", "back\\slash", "\ue000"]
    with new_store(tmp_path) as store:
        issue(store, *(certificate(i + 1, name=name, subject="", names=()) for i, name in enumerate(every)))
        assert sorted(record.name for record in read_all(store, Query(name=pattern))) == sorted(found)


@pytest.mark.parametrize("cursor", ["", "nonsense", "bm9uc2Vuc2U=", "aQAwMQBhAHgA", "é", *HUGE])
def test_a_foreign_cursor_is_refused(inventory: Store, cursor: str) -> None:
    """Said as an input error, not as a failure of the decoder."""
    with pytest.raises(InputError) as caught:
        inventory.search(Query(after=cursor))
    assert caught.value.code == "query.cursor"


@pytest.mark.parametrize("more", ["garbage", "!", "\n", "==", "?a=b"])
def test_a_cursor_with_something_behind_it_is_refused(inventory: Store, more: str) -> None:
    """Also what base64 passes over: whoever pasted too much is told so, and does not get some page."""
    for query in (Query(limit=1), Query(limit=1, name="web")):
        cursor = inventory.search(query).next
        assert cursor is not None
        with pytest.raises(InputError) as caught:
            inventory.search(replace(query, after=cursor + more))
        assert caught.value.code == "query.cursor"


def test_a_cursor_of_another_kind_of_search_is_refused(inventory: Store) -> None:
    """A place in the order of expiry is no place in the order of names."""
    by_expiry, by_name = inventory.search(Query(limit=1)).next, inventory.search(Query(limit=1, name="web")).next
    for query in (Query(name="web", after=by_expiry), Query(after=by_name)):
        with pytest.raises(InputError, match="not a cursor of this search"):
            inventory.search(query)


@pytest.mark.parametrize("limit", [0, -1, 10_001])
def test_an_impossible_page_size_is_refused(limit: int) -> None:
    """Zero rows would never end, a million would not be a page."""
    with pytest.raises(InputError, match="page size out of range"):
        Query(limit=limit)


def test_leaving_out_expired_ones_needs_a_time() -> None:
    """The store asks no clock."""
    with pytest.raises(InputError, match="needs a time"):
        Query(include_expired=False)


def test_an_endless_pattern_is_refused(inventory: Store) -> None:
    """What is longer than any name is not searched for."""
    with pytest.raises(InputError, match="name pattern is longer than"):
        inventory.search(Query(name="x" * 1001))


def test_names_are_found_exactly_and_newest_first(tmp_path: Path) -> None:
    """by_name is what revoke and renew ask: the whole name, its case too."""
    with new_store(tmp_path) as store:
        issue(store, certificate(1, created_at=NOW), certificate(2, created_at=NOW + 1), certificate(3, name="client"))
        assert [record.serial_number for record in store.by_name("client.device")] == [2, 1]
        assert store.by_name("Client.Device") == ()
        store.revoke(1, at=NOW, reason="superseded", crl_entry=b"")
        assert [record.serial_number for record in store.by_name("client.device", Status.VALID)] == [2]
