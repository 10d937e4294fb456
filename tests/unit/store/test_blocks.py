"""Serial numbers that were reserved together are worth what any reserved one is, until all have their certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.errors import NotFoundError, StoreError
from counterseal.store.records import Query, Status
from store_fixtures import NOW, certificate, issue, key_use, new_store, open_store, reservation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from counterseal.store.records import CertificateRecord
    from counterseal.store.store import Store

pytestmark = pytest.mark.usefixtures("each_database")

BLOCK = [certificate(number, name=f"device-{number}\\\n%") for number in (30, 10, 20)]


def reserve(store: Store, records: Sequence[CertificateRecord] = BLOCK) -> None:
    """Reserve the numbers of these together."""
    store.reserve_block([reservation(record) for record in records])


def record(store: Store, records: Sequence[CertificateRecord] = BLOCK) -> None:
    """Record these together."""
    store.record_block([(one, key_use(one)) for one in records])


def serials(store: Store, query: Query) -> list[int]:
    """Return the numbers of all pages."""
    found: list[int] = []
    while True:
        page = store.search(query)
        found += [one.serial_number for one in page.records]
        if page.next is None:
            return found
        query = Query(query.status, query.profile, name=query.name, limit=query.limit, after=page.next)


def test_each_number_is_shown_as_reserved(tmp_path: Path) -> None:
    """By its number, by its name and in the list, as a row of its own would be; after a restart too."""
    with new_store(tmp_path) as store:
        reserve(store)
    with open_store(tmp_path / "store.db") as store:
        found = store.certificate(10)
        assert (found.status, found.name, found.subject, found.not_after) == (Status.RESERVED, BLOCK[1].name, "", 0)
        assert (found.created_at, found.created_by, found.profile) == (NOW, "root", "client")
        assert store.by_name(BLOCK[1].name) == ()
        assert store.by_name(BLOCK[1].name, Status.RESERVED) == (found,)
        assert store.reserved_before(NOW) == ()
        assert store.reserved_before(NOW + 1) == tuple(sorted(map(reservation, BLOCK)))


def test_they_are_listed_among_the_others(tmp_path: Path) -> None:
    """In one order, page by page, by the filters that reservations have."""
    with new_store(tmp_path) as store:
        store.reserve_many([reservation(certificate(number)) for number in (5, 15, 25)])
        store.reserve_many([reservation(certificate(1, created_at=NOW + 1))])
        reserve(store)
        for limit in (1, 2, 3, 100):
            assert serials(store, Query(status=Status.RESERVED, limit=limit)) == [5, 10, 15, 20, 25, 30, 1]
        assert serials(store, Query(status=Status.RESERVED, limit=1, name="DEVICE")) == [10, 20, 30]
        assert serials(store, Query(status=Status.RESERVED, limit=1, name="*-2*%")) == [20]
        assert serials(store, Query(status=Status.RESERVED, name="client.")) == [5, 15, 25, 1]
        assert serials(store, Query(status=Status.RESERVED, profile="server")) == []
        assert serials(store, Query()) == []


def test_recorded_they_are_certificates_like_others(tmp_path: Path) -> None:
    """With their names and a log that holds together; nothing of the block is left."""
    with new_store(tmp_path) as store:
        issue(store, certificate(7))
        reserve(store)
        record(store)
        assert [store.certificate(one.serial_number) for one in BLOCK] == BLOCK
        assert serials(store, Query(name="device-20*")) == [20]
        assert serials(store, Query(status=Status.RESERVED)) == []
        assert [use.serial_number for use in store.key_uses()] == [7, 30, 10, 20]
        assert store.verify_key_uses().findings == ()


@pytest.mark.parametrize("number", [30, 10, 20])
def test_no_other_certificate_gets_such_a_number(tmp_path: Path, number: int) -> None:
    """Not one by itself, and none of another block, of which nothing is reserved then."""
    with new_store(tmp_path) as store:
        reserve(store)
        with pytest.raises(StoreError, match=f"taken: {number:02X} of clients") as caught:
            store.reserve_many([reservation(certificate(one)) for one in (40, number)])
        assert caught.value.code == "store.serial_taken"
        with pytest.raises(StoreError, match=f"taken: {number:02X} of clients"):
            reserve(store, [certificate(one) for one in (50, number)])
        assert serials(store, Query(status=Status.RESERVED)) == [10, 20, 30]


@pytest.mark.parametrize("numbers", [(5, 7), (7, 5), (5, 5), (5, 9)])
def test_a_block_takes_no_number_twice(tmp_path: Path, numbers: tuple[int, int]) -> None:
    """Neither one that is reserved, nor one that has a certificate, nor one that stands in it twice."""
    with new_store(tmp_path) as store:
        issue(store, certificate(7))
        store.reserve_many([reservation(certificate(9))])
        with pytest.raises(StoreError) as caught:
            reserve(store, [certificate(number) for number in numbers])
        assert caught.value.code == "store.serial_taken"
        assert serials(store, Query(status=Status.RESERVED)) == [9]


@pytest.mark.parametrize("records", [BLOCK[:2], BLOCK[::-1], [certificate(60)]])
def test_a_block_is_recorded_as_it_was_reserved(tmp_path: Path, records: Sequence[CertificateRecord]) -> None:
    """Only some of it, in another order, or what was not reserved: neither a certificate nor an entry of the log."""
    with new_store(tmp_path) as store:
        reserve(store)
        with pytest.raises(StoreError) as caught:
            record(store, records)
        assert caught.value.code == "store.not_reserved"
        assert serials(store, Query(status=Status.RESERVED)) == [10, 20, 30]
        assert list(store.key_uses()) == []
        record(store)
        with pytest.raises(StoreError, match="not reserved but valid"):
            record(store)


def test_a_certificate_of_such_a_number_lets_none_be_recorded(tmp_path: Path) -> None:
    """Nothing here writes such a row; if another program does, the certificates must not leave."""
    with new_store(tmp_path) as store:
        reserve(store)
        with pytest.raises(StoreError, match="taken: 0A of clients"):
            store.adopt([(certificate(9), None), (certificate(10), None)])
        with pytest.raises(NotFoundError):
            store.certificate(9)
        store.adopt([(certificate(11), None)])
        store.run("update certificate set serial_number = ?", ((10).to_bytes(20, "big"),))
        with pytest.raises(StoreError, match="not reserved but valid: 0A of clients"):
            record(store)
        assert list(store.key_uses()) == []
        assert store.certificate(20).status is Status.RESERVED


def test_a_store_that_was_moved_reserves_none(tmp_path: Path) -> None:
    """What has it open still must not sign under numbers that the new one does not know."""
    with new_store(tmp_path) as store:
        store.retire("another place")
        with pytest.raises(StoreError, match=r"was moved from .* to another place"):
            reserve(store)
