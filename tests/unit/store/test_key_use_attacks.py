"""The log rewritten by somebody who owns the database: with every hash and the head made right again, or not."""

from __future__ import annotations

from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from counterseal.pki import der
from counterseal.store.key_uses import chain
from counterseal.store.records import GENESIS_HASH, CARecord, CRLRecord, KeyUse, LogHead, NewKeyUse
from counterseal.store.tally import add_tallies, count_key_uses
from store_fixtures import CLIENTS, DAY, NOW, certificate, issue, key_use, new_store, open_store, reservation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from counterseal.store.store import Store

pytestmark = pytest.mark.usefixtures("each_database")

ROOT = CARecord("root", "root", None, b"root certificate", "root", "active", NOW)
SERVERS = CARecord("servers", "server", "root", b"servers certificate", "servers", "active", NOW)
EMPTY = LogHead(0, GENESIS_HASH)


def use_of(ca: str, action: str, serial_number: int | None = None) -> NewKeyUse:
    """Return a use of a CA's key that is of no certificate in the inventory."""
    return NewKeyUse(NOW, "root", action, ca, serial_number, action.encode())


def add_root(store: Store) -> None:
    """Make a CA that signs itself."""
    store.add_ca(ROOT._replace(name="other"), use_of("other", "ca certificate", 77))


def add_certificate(store: Store) -> None:
    """Issue one; a CA's own under a root and an OCSP responder's are such as well."""
    issue(store, certificate(40, profile="ocsp-responder"))


def add_block(store: Store) -> None:
    """Issue as a batch does."""
    records = [certificate(number) for number in (50, 51)]
    store.reserve_block([reservation(one) for one in records])
    store.record_block([(one, key_use(one)) for one in records])


def add_list(store: Store) -> None:
    """Publish a list."""
    store.add_crl(CRLRecord("clients", 9, NOW, NOW + DAY, b"list", 0), use_of("clients", "crl 9"))


def discard_list(store: Store) -> None:
    """Sign a list that comes too late."""
    store.append_key_use(use_of("servers", "crl 3, discarded"))


def discard_certificate(store: Store) -> None:
    """Sign a certificate that nobody gets."""
    store.append_key_use(use_of("clients", "certificate, discarded", 60))


KINDS = (add_root, add_certificate, add_block, add_list, discard_list, discard_certificate)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory, each_database: str) -> Iterator[Store]:
    """Return a store with a use of every kind, which each test changes in a transaction that is undone."""
    assert each_database
    with open_store(tmp_path_factory.mktemp("attacks") / "store.db", create=True) as store:
        store.add_ca(ROOT, use_of("root", "ca certificate", 7))
        for ca in (SERVERS, CLIENTS):
            store.add_ca(ca)
        issue(store, certificate(20), certificate(21, issuer="servers", created_by="api:ann"))
        for add in KINDS:
            add(store)
        issue(store, certificate(70))
        yield store


@pytest.fixture
def store(everything: Store) -> Iterator[Store]:
    """Return that store, in a transaction that ends with the test, without its triggers."""
    everything.begin()
    try:
        assert found(everything) == set()
        drop_triggers(everything)
        yield everything
    finally:
        everything.abandon()


def drop_triggers(store: Store) -> None:
    """Do what only the owner of the tables can."""
    if store.is_shared:
        for table in ("key_use", "key_use_head"):
            store.run(f"alter table {table} disable trigger user")
        return
    for (name,) in store.rows("select name from sqlite_master where type = 'trigger' and name like 'key_use_%'"):
        store.run(f"drop trigger {name}")


def write(store: Store, uses: list[KeyUse], head: LogHead | None = None) -> None:
    """Put these entries in the place of the log, and set its head if it is given."""
    store.run("delete from key_use")
    rows = [
        (*use[:5], None if use.serial_number is None else use.serial_number.to_bytes(20, "big"), *use[6:])
        for use in uses
    ]
    store.run_many("insert into key_use values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    if head is not None:
        store.run("update key_use_head set sequence = ?, hash = ?", head)


def rewrite(store: Store, uses: list[KeyUse]) -> None:
    """Put these in the place of the log, numbered and chained as if they had always been it, and the head too."""
    made: list[KeyUse] = []
    for use in uses:
        made.append(chain(made[-1] if made else EMPTY, NewKeyUse(*use[1:7])))
    write(store, made, LogHead(made[-1].sequence, made[-1].hash) if made else EMPTY)


def found(store: Store, anchor: LogHead | None = None) -> set[str]:
    """Return what a verification finds."""
    return {finding.code for finding in store.verify_key_uses(anchor=anchor).findings}


@contextmanager
def undone(store: Store) -> Iterator[None]:
    """Undo what is done inside."""
    store.begin()
    try:
        yield
    finally:
        store.abandon()


OTHER: dict[str, Any] = {
    "sequence": 999,
    "at": NOW + 1,
    "actor": "nobody",
    "action": "something else",
    "ca": "servers",
    "serial_number": 4711,
    "digest": b"other",
    "previous_hash": b"other",
    "hash": b"other",
}


def changed(use: KeyUse, field: str) -> KeyUse:
    """Return the entry with another value there."""
    changes: dict[str, Any] = {field: "root" if getattr(use, field) == OTHER[field] else OTHER[field]}
    return use._replace(**changes)


@pytest.mark.parametrize("field", KeyUse._fields)
def test_an_edit_of_any_column_of_any_entry_is_found(store: Store, field: str) -> None:
    """Whoever does not care for the hashes is seen by the chain."""
    uses = list(store.key_uses())
    for place, use in enumerate(uses):
        with undone(store):
            write(store, [*uses[:place], changed(use, field), *uses[place + 1 :]])
            assert found(store) & {"log.edited", "log.link", "log.gap"}, use


@pytest.mark.parametrize("field", ["at", "actor", "action", "ca", "serial_number", "digest"])
def test_an_edit_with_all_hashes_made_right_is_found(store: Store, field: str) -> None:
    """In an entry of every kind: what it was is remembered elsewhere."""
    uses = list(store.key_uses())
    for place, use in enumerate(uses):
        with undone(store):
            rewrite(store, [*uses[:place], changed(use, field), *uses[place + 1 :]])
            assert "log.unlogged" in found(store), use


def test_a_deleted_entry_is_found(store: Store) -> None:
    """The first, any in the middle, the last: with the hashes made right and without."""
    uses = list(store.key_uses())
    for place, use in enumerate(uses):
        rest = [*uses[:place], *uses[place + 1 :]]
        with undone(store):
            write(store, rest)
            assert found(store) & {"log.gap", "log.end"}, use
        with undone(store):
            rewrite(store, rest)
            assert "log.unlogged" in found(store), use


def test_a_log_cut_short_is_found(store: Store) -> None:
    """By any number of entries, down to none, with its head set back to match."""
    uses = list(store.key_uses())
    for kept in range(len(uses)):
        with undone(store):
            write(store, uses[:kept], LogHead(uses[kept - 1].sequence, uses[kept - 1].hash) if kept else EMPTY)
            assert "log.unlogged" in found(store), kept


@pytest.mark.parametrize("add", KINDS)
def test_a_cut_before_an_entry_of_any_kind_is_found(tmp_path: Path, add: Callable[[Store], None]) -> None:
    """When it is the last there is, so that no later one tells."""
    with open_store(tmp_path / "store.db", create=True) as store:
        for ca in (ROOT, SERVERS, CLIENTS):
            store.add_ca(ca)
        head = store.key_use_head()
        add(store)
        assert found(store) == set()
        drop_triggers(store)
        store.run("delete from key_use where sequence > ?", (head.sequence,))
        store.run("update key_use_head set sequence = ?, hash = ?", head)
        assert found(store) == {"log.unlogged"}


@pytest.mark.parametrize("add", [add_root, add_list, discard_list, discard_certificate])
def test_an_edit_of_the_last_entry_stays_found(tmp_path: Path, add: Callable[[Store], None]) -> None:
    """Where no certificate follows, its CA alone knows it, and does so when it has signed more."""
    with open_store(tmp_path / "store.db", create=True) as store:
        for ca in (ROOT, SERVERS, CLIENTS):
            store.add_ca(ca)
        add(store)
        drop_triggers(store)
        (use,) = store.key_uses()
        rewrite(store, [changed(use, "actor")])
        assert found(store) == {"log.unlogged"}
        store.append_key_use(use_of(use.ca, "crl 100"))
        assert found(store) == {"log.unlogged"}


@pytest.mark.parametrize("field", ["ca", "serial_number", "digest", None])
def test_a_certificate_without_the_hash_of_its_entry_still_holds_the_log(tmp_path: Path, field: str | None) -> None:
    """As an older program records it beside an upgrade: its entry has to be of it, and of what is signed in it."""
    with new_store(tmp_path, ROOT, SERVERS) as store:
        signed = der.sequence(b"\x02\x01\x05")
        record = certificate(5, certificate=der.sequence(signed, der.NULL))
        store.reserve(5, issuer="clients", name="a", profile="client", at=NOW, actor="root")
        store.record_many([(record, key_use(record)._replace(digest=sha256(signed).digest()))])
        store.run("update certificate set key_use_hash = null")
        assert found(store) == set()
        drop_triggers(store)
        (use,) = store.key_uses()
        rewrite(store, [changed(use, field)] if field else [])
        assert "log.unlogged" in found(store)


def test_entries_that_traded_places_are_found(store: Store) -> None:
    """Neighbours, with the hashes made right and without."""
    uses = list(store.key_uses())
    for place in range(len(uses) - 1):
        first, second = uses[place : place + 2]
        swapped = [
            *uses[:place],
            second._replace(sequence=first.sequence),
            first._replace(sequence=second.sequence),
            *uses[place + 2 :],
        ]
        with undone(store):
            write(store, swapped)
            assert found(store) & {"log.link", "log.edited"}, first
        with undone(store):
            rewrite(store, swapped)
            assert "log.unlogged" in found(store), first


@pytest.mark.parametrize("action", ["certificate", "crl 99", "ca certificate"])
def test_an_entry_slipped_in_is_found(store: Store, action: str) -> None:
    """At any place, the end as well, where nothing after it has to be made right."""
    uses = list(store.key_uses())
    for place in range(len(uses) + 1):
        more = KeyUse(0, *use_of("clients", action, 4711), b"", b"")
        with undone(store):
            rewrite(store, [*uses[:place], more, *uses[place:]])
            expected = "log.unlogged" if place < len(uses) else "log.unknown"
            assert expected in found(store), place


def test_a_certificate_that_was_taken_out_of_the_store_is_found(store: Store) -> None:
    """The log, which nobody touched, knows it."""
    store.run("delete from certificate where serial_number = ?", ((20).to_bytes(20, "big"),))
    assert found(store) == {"log.unknown"}


def test_a_log_that_was_counted_further_is_found(store: Store) -> None:
    """What was counted for monitoring was there."""
    uncounted = count_key_uses(store, limit=1000)
    assert uncounted is not None
    assert add_tallies(store, uncounted)
    assert found(store) == set()
    uses = list(store.key_uses())
    write(store, uses[:-1], LogHead(uses[-2].sequence, uses[-2].hash))
    forget(store, after=uses[-2].sequence)
    assert found(store) == {"log.end"}


def forget(store: Store, *, after: int) -> None:
    """Take out of the other tables what they remember of later entries, and have them know those that there are."""
    store.run("delete from certificate where key_use > ?", (after,))
    for use in list(store.key_uses()):
        if use.action != "certificate":
            store.run("update ca set key_use = ?, key_use_hash = ? where name = ?", (use.sequence, use.hash, use.ca))
    store.run("update ca set key_use = null where key_use > ?", (after,))
    store.run(
        "update ca set key_uses = (select count(*) from key_use k where k.ca = ca.name and k.action <> 'certificate')"
    )


def test_whoever_rewrites_all_tables_is_found_by_a_noted_head(store: Store) -> None:
    """The newest entries are gone, and everything that knew of them: only a head noted elsewhere tells."""
    uses = list(store.key_uses())
    anchor = store.key_use_head()
    for kept in range(len(uses)):
        head = LogHead(uses[kept - 1].sequence, uses[kept - 1].hash) if kept else EMPTY
        with undone(store):
            write(store, uses[:kept], head)
            forget(store, after=kept)
            assert found(store) == set()
            assert found(store, anchor) == {"log.anchor"}
            assert found(store, head) == set()


def go_on(store: Store) -> None:
    """Do more of what there was, as the program does that noticed nothing."""
    issue(store, certificate(90))
    for ca in ("root", "other", "servers", "clients"):
        store.add_crl(CRLRecord(ca, 99, NOW, NOW + DAY, b"list", 0), use_of(ca, "crl 99"))
    issue(store, certificate(91))


def test_what_was_done_stays_found_whatever_is_signed_later(store: Store) -> None:
    """Entries that follow hide no cut, no edit and no addition at the end of the log before them."""
    uses = list(store.key_uses())
    for kept in range(len(uses)):
        with undone(store):
            write(store, uses[:kept], LogHead(uses[kept - 1].sequence, uses[kept - 1].hash) if kept else EMPTY)
            go_on(store)
            assert "log.unlogged" in found(store), kept
    for place, use in enumerate(uses):
        with undone(store):
            rewrite(store, [*uses[:place], changed(use, "actor"), *uses[place + 1 :]])
            go_on(store)
            assert "log.unlogged" in found(store), use
    for action in ("certificate", "crl 98", "ca certificate"):
        with undone(store):
            rewrite(store, [*uses, KeyUse(0, *use_of("clients", action, 4711), b"", b"")])
            go_on(store)
            assert found(store) == {"log.unknown"}, action


def test_an_entry_of_a_ca_that_there_is_not_is_found(store: Store) -> None:
    """Nobody counts those."""
    rewrite(store, [*store.key_uses(), KeyUse(0, *use_of("ghost", "crl 1"), b"", b"")])
    assert found(store) == {"log.unknown"}


def test_each_head_that_there_was_is_in_the_log(store: Store) -> None:
    """An older one proves as much, up to where it was noted; a number with another hash proves the contrary."""
    for use in store.key_uses():
        assert found(store, LogHead(use.sequence, use.hash)) == set()
        assert found(store, LogHead(use.sequence, use.previous_hash)) == {"log.anchor"}
