"""Several processes at one store at the same moment, and processes that die in the middle."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import StoreError
from counterseal.store.records import Query, Status
from counterseal.store.sqlite import open_store
from integration.store.actor import committed_beside
from store_fixtures import DAY, NOW, certificate, key_use, new_store, reservation

if TYPE_CHECKING:
    from pathlib import Path

    from integration.store.actors import Start

NUMBERS = 60
CRLS = 25
REVOKED = 100


@pytest.mark.parametrize("processes", [2, 4])
def test_no_serial_number_is_issued_twice_and_no_row_lost(tmp_path: Path, start: Start, processes: int) -> None:
    """All want the same numbers: each goes to one of them, is recorded, and has its entry in an unbroken log."""
    new_store(tmp_path).close()
    path = tmp_path / "store.db"
    actors = [start("contend", path, NUMBERS) for _ in range(processes)]
    for actor in actors:
        actor.begin()
    won = [int(number) for actor in actors for number in actor.finish()]
    assert sorted(won) == list(range(1, NUMBERS + 1))
    with open_store(path) as store:
        records = store.search(Query(limit=1000)).records
        assert sorted(record.serial_number for record in records) == sorted(won)
        assert sorted(use.serial_number or 0 for use in store.key_uses()) == sorted(won)
        assert store.verify_key_uses().findings == ()
        assert store.reserved_before(NOW + DAY) == ()


@pytest.mark.parametrize("processes", [2, 4])
def test_crl_numbers_stay_dense(tmp_path: Path, start: Start, processes: int) -> None:
    """No two processes get the same number, and none is left out."""
    new_store(tmp_path).close()
    actors = [start("number_crls", tmp_path / "store.db", CRLS) for _ in range(processes)]
    for actor in actors:
        actor.begin()
    taken = [[int(number) for number in actor.finish()] for actor in actors]
    assert sorted(number for numbers in taken for number in numbers) == list(range(1, processes * CRLS + 1))
    assert all(numbers == sorted(numbers) for numbers in taken)


@pytest.mark.parametrize("attempt", range(5))
def test_four_openers_make_one_store(tmp_path: Path, start: Start, attempt: int) -> None:
    """Whoever comes first migrates, the others wait, also for the switch to the write-ahead log, which has no queue."""
    path = tmp_path / f"{attempt}.db"
    actors = [start("create", path, 0) for _ in range(4)]
    for actor in actors:
        actor.begin()
    assert [actor.finish() for actor in actors] == [["created"]] * 4
    with open_store(path) as store:
        versions = [version for (version,) in store.rows("select version from schema_version order by version")]
        assert versions == list(range(1, len(versions) + 1))
        assert store.check().findings == ()


def test_a_kill_between_reserve_and_record_loses_nothing_that_left(tmp_path: Path, start: Start) -> None:
    """The number stays taken until somebody says otherwise; nothing was logged, because nothing left."""
    new_store(tmp_path).close()
    actor = start("stop_after_reserving", tmp_path / "store.db", 7)
    actor.begin()
    assert actor.hear() == "reserved"
    actor.kill()
    with open_store(tmp_path / "store.db") as store:
        assert store.certificate(7).status is Status.RESERVED
        with pytest.raises(StoreError, match="is taken"):
            store.reserve_many([reservation(certificate(7))])
        assert list(store.key_uses()) == []
        assert [one.serial_number for one in store.reserved_before(NOW + 1)] == [7]
        assert store.verify_key_uses().findings == ()


def test_a_kill_before_the_commit_leaves_a_reservation(tmp_path: Path, start: Start) -> None:
    """Neither the certificate nor its log entry is there: they are one transaction; the lock is gone too."""
    with new_store(tmp_path) as store:
        store.reserve_many([reservation(certificate(7))])
        actor = start("stop_before_commit", tmp_path / "store.db", 7)
        actor.begin()
        assert actor.hear() == "written"
        actor.kill()
        assert store.certificate(7).status is Status.RESERVED
        assert list(store.key_uses()) == []
        store.record(certificate(7), key_use(certificate(7)))
        assert store.verify_key_uses().findings == ()


def test_what_was_recorded_survives_a_kill(tmp_path: Path, start: Start) -> None:
    """Killed again and again in full flight: all that it said was recorded is there, and the file is sound."""
    new_store(tmp_path).close()
    said: set[int] = set()
    for attempt in range(1, 6):
        actor = start("issue_for_ever", tmp_path / "store.db", attempt * 1_000_000)
        actor.begin()
        said.update(int(actor.hear()) for _ in range(attempt * 7))
        said.update(int(number) for number in actor.kill() if number)
    with open_store(tmp_path / "store.db") as store:
        recorded = {record.serial_number for record in store.search(Query(limit=10_000)).records}
        assert said <= recorded
        assert len(recorded - said) <= 5  # recorded, and killed before it could say so
        assert store.verify_key_uses().findings == ()
        assert store.check().findings == ()
        assert len(store.reserved_before(NOW + DAY)) <= 5


def test_what_was_committed_is_known_without_asking(tmp_path: Path, start: Start) -> None:
    """While another process revokes: what was read counts until the state is another one, and is never out of date."""
    path = tmp_path / "store.db"
    (tmp_path / "committed").write_bytes(bytes(1))
    with new_store(tmp_path) as store, committed_beside(path) as committed:
        store.adopt([(certificate(number), None) for number in range(1, REVOKED + 1)])
        actor = start("revoke_all", path, REVOKED)
        state, read_at, known, unasked = store.watch(), None, 0, 0
        actor.begin()
        deadline = time.monotonic() + 120
        while known < REVOKED:
            must_be_known, now = committed[0], state()
            if now is None or now != read_at:
                known, read_at = len(list(store.revoked_serials("clients"))), now
            else:
                unasked += 1
            assert known >= must_be_known
            assert time.monotonic() < deadline
        assert unasked
        actor.finish()
