"""Tampering with the log in the database, past Counterseal, in every way."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import StoreError
from counterseal.store.key_uses import chain
from counterseal.store.records import GENESIS_HASH, LogHead
from counterseal.store.sqlite import open_store
from store_fixtures import NOW, certificate, issue, key_use, new_store

if TYPE_CHECKING:
    from pathlib import Path

TRIGGERS = (
    "key_use_no_update",
    "key_use_no_delete",
    "key_use_no_replace",
    "key_use_head_no_delete",
    "key_use_head_only_forward",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a store with five certificates, and a sixth use of the key that stands alone."""
    with new_store(tmp_path) as store:
        issue(store, *(certificate(number) for number in range(1, 6)))
        store.append_key_use(key_use(certificate())._replace(action="sign crl", serial_number=None))
    return tmp_path / "store.db"


def tamper(path: Path, *statements: str) -> None:
    """Change the file as somebody does who owns it: without the triggers."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for name in TRIGGERS:
            connection.execute(f"drop trigger {name}")
        for statement in statements:
            connection.execute(statement)


def found(path: Path, anchor: LogHead | None = None) -> list[str]:
    """Return what a verification finds."""
    with open_store(path) as store:
        return [finding.code for finding in store.verify_key_uses(anchor=anchor).findings]


def test_an_untouched_log_verifies(path: Path) -> None:
    """It says nothing, also with its own head as the anchor."""
    with open_store(path) as store:
        assert store.verify_key_uses(anchor=store.key_use_head()).findings == ()
        assert [use.sequence for use in store.key_uses(after=4)] == [5, 6]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("update key_use set used_at = used_at + 1 where sequence = 3", {"log.edited"}),
        ("update key_use set actor = 'nobody' where sequence = 3", {"log.edited"}),
        ("update key_use set action = '' where sequence = 3", {"log.edited", "log.unknown"}),
        ("update key_use set ca = 'x' where sequence = 6", {"log.edited", "log.unlogged", "log.unknown"}),
        ("update key_use set digest = x'00' where sequence = 3", {"log.edited"}),
        ("update key_use set serial_number = zeroblob(20) where sequence = 6", {"log.edited"}),
        ("update key_use set serial_number = null where sequence = 3", {"log.edited", "log.unlogged", "log.unknown"}),
        ("update key_use set previous_hash = x'00' where sequence = 3", {"log.link", "log.edited"}),
        ("update key_use set hash = x'00' where sequence = 3", {"log.edited", "log.link", "log.unlogged"}),
        ("update key_use set sequence = 7 where sequence = 6", {"log.gap", "log.edited", "log.end", "log.unlogged"}),
        ("delete from key_use where sequence = 1", {"log.gap", "log.unlogged"}),
        ("delete from key_use where sequence in (2, 3)", {"log.gap", "log.unlogged"}),
        ("delete from key_use where sequence = 6", {"log.end", "log.unlogged"}),
        ("delete from key_use", {"log.end", "log.unlogged"}),
        ("update key_use_head set sequence = 5", {"log.end"}),
        ("update key_use_head set hash = x'00'", {"log.end"}),
        ("delete from key_use_head", {"log.unreadable"}),
        (
            "insert into key_use select 7, 0, '', '', '', null, x'', hash, x'' from key_use_head",
            {"log.edited", "log.end", "log.unknown"},
        ),
    ],
)
def test_a_change_past_the_triggers_is_found(path: Path, statement: str, expected: set[str]) -> None:
    """Each way to edit, cut or extend the log, and what it is called."""
    tamper(path, statement)
    assert set(found(path)) == expected


def test_entries_that_traded_places_are_found(path: Path) -> None:
    """The numbers are swapped, so that no number is missing."""
    numbers = ("-1 where sequence = 2", "2 where sequence = 4", "4 where sequence = -1")
    statements = [f"update key_use set sequence = {number}" for number in numbers]  # noqa: S608 - the test's own values
    tamper(path, "pragma ignore_check_constraints = on", *statements)
    assert set(found(path)) == {"log.link", "log.edited", "log.unlogged", "log.unknown"}


def test_an_entry_before_the_first_is_found(path: Path) -> None:
    """Numbers start at 1: what is put below is not passed over."""
    entry = "insert into key_use values (0, 0, '', '', '', null, x'', x'', x'')"
    tamper(path, "pragma ignore_check_constraints = on", entry)
    assert "log.gap" in found(path)


def test_an_entry_of_another_certificate_is_found(path: Path) -> None:
    """A rewritten log that is sound in itself must still speak of the certificates that there are."""
    with open_store(path) as store:
        uses = list(store.key_uses())
    head = LogHead(0, GENESIS_HASH)
    rows = []
    for use in uses:
        changed = key_use(certificate(use.sequence))._replace(at=NOW, serial_number=use.sequence + 40)
        entry = chain(head, changed)
        head = LogHead(entry.sequence, entry.hash)
        values = (changed.serial_number or 0, changed.digest.hex(), entry.previous_hash.hex(), entry.hash.hex())
        rows.append(
            f"insert into key_use values ({entry.sequence}, {NOW}, 'root', 'certificate', 'clients',"  # noqa: S608 - the test's own values
            "x'%040x', x'%s', x'%s', x'%s')" % values
        )
    new_head = f"update key_use_head set hash = x'{head.hash.hex()}'"  # noqa: S608 - the test's own values
    tamper(path, "delete from key_use", *rows, new_head)
    assert found(path).count("log.unlogged") == 7, "each certificate, the last entry of the CA, and how many it has"


def test_a_log_rebuilt_with_other_types_is_unreadable_not_a_crash(path: Path) -> None:
    """The table replaced by one that is not strict may hold anything."""
    tamper(
        path, "create table copy as select * from key_use", "drop table key_use", "alter table copy rename to key_use"
    )
    assert found(path) == []
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update key_use set used_at = 'yesterday' where sequence = 2")
    assert found(path) == ["log.unreadable"]
    with open_store(path) as store, pytest.raises(StoreError) as caught:
        list(store.key_uses())
    assert caught.value.code == "store.log_entry"


def test_many_faults_are_not_all_listed(tmp_path: Path) -> None:
    """A log that is wrong from end to end is said in a hundred findings, not in a million."""
    with new_store(tmp_path) as store:
        issue(store, *(certificate(number) for number in range(1, 120)))
    tamper(tmp_path / "store.db", "update key_use set actor = 'nobody'")
    assert found(tmp_path / "store.db") == ["log.edited"] * 100


@pytest.mark.parametrize(
    "statement",
    [
        "update key_use set actor = 'nobody' where sequence = 3",
        "delete from key_use where sequence = 6",
        "insert or replace into key_use select * from key_use where sequence = 6",
        "delete from key_use_head",
        "update key_use_head set sequence = 5",
        "update key_use_head set hash = x'00'",
        "update key_use set sequence = 9 where sequence = 6",
    ],
)
def test_the_log_is_append_only_for_whoever_keeps_the_triggers(path: Path, statement: str) -> None:
    """A careless tool is refused by the database itself, and nothing changes."""
    with open_store(path) as store:
        before = list(store.key_uses())
        with pytest.raises(StoreError, match="append-only") as caught:
            store.run(statement)
        assert caught.value.code == "store.constraint"
        assert list(store.key_uses()) == before


def test_a_log_without_its_head_takes_no_entry(path: Path) -> None:
    """Nothing is issued on a log that cannot be continued."""
    tamper(path, "delete from key_use_head")
    with open_store(path) as store:
        with pytest.raises(StoreError, match="lost its head"):
            issue(store, certificate(99))
        assert store.reserved_before(NOW + 1) != ()
