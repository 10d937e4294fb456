"""Each step is applied once, in order, and all or none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import StoreError
from counterseal.pki.keys import key_hash
from counterseal.store import compromised_keys
from counterseal.store.compromised_keys import find_compromised_key
from counterseal.store.key_uses import chain
from counterseal.store.migrations import migrate, migrations
from counterseal.store.records import GENESIS_HASH, LogHead, NewKeyUse
from counterseal.store.sqlite import open_store
from pki_fixtures import key_of
from store_fixtures import NOW, certificate, issue, key_use, new_store, reservation, revoke_in_older_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Return a connection to an empty database, in autocommit as the store's is."""
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as opened:
        yield opened


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    """Return a directory with two steps."""
    directory = tmp_path / "schema"
    directory.mkdir()
    (directory / "0001_one.sql").write_text("-- a comment; with a semicolon\ncreate table one (a integer);\n")
    script = (
        "create trigger t before delete on one\nbegin\n  select 1;\n  select 2;\nend;\ninsert into one values (1);\n"
    )
    (directory / "0002_two.sqlite.sql").write_text(script)
    (directory / "0002_two.postgresql.sql").write_text("this is not for SQLite;\n")
    return directory


def names(connection: sqlite3.Connection) -> list[str]:
    """Return the tables and triggers that there are."""
    return [name for (name,) in connection.execute("select name from sqlite_master where name not like 'sqlite_%'")]


def test_our_steps_are_numbered_without_a_gap() -> None:
    """One file a number for this database, from 1 on."""
    found = [step.version for step in migrations()]
    assert found == list(range(1, len(found) + 1))
    assert len(found) >= 2


def test_steps_are_applied_once(connection: sqlite3.Connection, steps: Path, tmp_path: Path) -> None:
    """A second run does nothing, another database's file is passed over, a trigger's semicolons end no statement."""
    for _ in range(2):
        migrate(connection, tmp_path, steps=migrations(steps))
    assert names(connection) == ["schema_version", "one", "t"]
    assert connection.execute("select count(*) from one").fetchone() == (1,)
    assert connection.execute("select version, name from schema_version").fetchall() == [
        (1, "0001_one.sql"),
        (2, "0002_two.sqlite.sql"),
    ]


def test_an_older_database_gets_only_what_is_missing(
    connection: sqlite3.Connection, steps: Path, tmp_path: Path
) -> None:
    """A step added later is applied to what is there, with its rows."""
    migrate(connection, tmp_path, steps=migrations(steps)[:1])
    connection.execute("insert into one values (7)")
    migrate(connection, tmp_path, steps=migrations(steps))
    assert connection.execute("select a from one").fetchall() == [(7,), (1,)]


def test_a_step_that_fails_leaves_nothing(connection: sqlite3.Connection, steps: Path, tmp_path: Path) -> None:
    """All steps are one transaction: the database stays what it was, and unmarked."""
    (steps / "0003_wrong.sql").write_text("create table two (a integer);\ncreate table one (a integer);\n")
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(connection, tmp_path, steps=migrations(steps))
    assert names(connection) == []
    assert connection.execute("pragma application_id").fetchone() == (0,)


def test_tables_are_held_to_their_types(connection: sqlite3.Connection, steps: Path, tmp_path: Path) -> None:
    """As in PostgreSQL: text in an integer column is refused."""
    migrate(connection, tmp_path, steps=migrations(steps))
    with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT"):
        connection.execute("insert into one values ('text')")


def test_names_of_an_older_store_are_found_after_they_were_laid_down_anew(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    """The table without row numbers holds the rows of the one before, and still holds to its types."""
    before = next(step.version for step in migrations() if "names_once" in step.name) - 1
    migrate(connection, tmp_path, steps=migrations()[:before])
    rows = [(1, "com.example.www", b"1" * 20, "servers"), (0, "www.example.com", b"1" * 20, "servers")]
    connection.executemany("insert into certificate_name values (?, ?, ?, ?)", rows)
    migrate(connection, tmp_path, steps=migrations())
    assert connection.execute("select * from certificate_name").fetchall() == sorted(rows)
    with pytest.raises(sqlite3.IntegrityError, match="cannot store BLOB"):
        connection.execute("insert into certificate_name values (0, ?, ?, 'servers')", (b"x", b"2" * 20))


def test_numbers_of_an_older_store_stay_reserved_beside_those_in_blocks(tmp_path: Path) -> None:
    """What a crash left before there were blocks is shown with what it leaves since, and can still be recorded."""
    before = next(step.version for step in migrations() if "reserved_block" in step.name) - 1
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as connection:
        migrate(connection, tmp_path, steps=migrations()[:before])
        connection.execute(
            "insert into ca (name, purpose, certificate, key_id, state, created_at, crl_number)"
            " values ('clients', 'client', x'', 'key-1', 'active', 1, 0)"
        )
        connection.execute(
            "insert into certificate (serial_number, issuer, name, profile, created_at, created_by, status)"
            " values (?, 'clients', 'left', 'client', ?, 'root', 'reserved')",
            ((5).to_bytes(20, "big"), NOW),
        )
    with open_store(tmp_path / "store.db") as store:
        store.reserve_block([reservation(certificate(number)) for number in (4, 6)])
        assert [one.serial_number for one in store.reserved_before(NOW + 1)] == [4, 5, 6]
        store.record(certificate(5), key_use(certificate(5)))
        assert [one.serial_number for one in store.reserved_before(NOW + 1)] == [4, 6]


def test_a_ca_that_was_revoked_as_a_certificate_is_a_revoked_ca(tmp_path: Path) -> None:
    """An older program revoked it by its name, like any certificate; another one of that name stays as it was."""
    before = next(step.version for step in migrations() if "revoked_ca" in step.name) - 1
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as connection:
        migrate(connection, tmp_path, steps=migrations()[:before])
        for name, parent in (("root", None), ("clients", "root"), ("partners", "root")):
            connection.execute(
                "insert into ca (name, purpose, parent, certificate, key_id, state, created_at, crl_number)"
                " values (?, 'client', ?, ?, 'key', 'active', 1, 0)",
                (name, parent, name.encode()),
            )
        for number, der, status in ((5, b"clients", "revoked"), (6, b"partners", "valid"), (7, b"ann", "revoked")):
            at, reason = (NOW, "key_compromise") if status == "revoked" else (None, None)
            connection.execute(
                "insert into certificate (serial_number, issuer, name, profile, created_at, created_by, status,"
                " subject, names, not_before, not_after, der, revoked_at, revocation_reason)"
                " values (?, 'root', 'clients', 'ca', 1, 'root', ?, '', '', 1, 2, ?, ?, ?)",
                (number.to_bytes(20, "big"), status, der, at, reason),
            )
    with open_store(tmp_path / "store.db") as store:
        assert {one.name: (one.state, one.revoked_at, one.revocation_reason) for one in store.cas()} == {
            "root": ("active", None, None),
            "clients": ("revoked", NOW, "key_compromise"),
            "partners": ("active", None, None),
        }


def test_keys_that_were_compromised_before_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of certificates that are kept and were revoked for it, however many; not one that was superseded."""
    monkeypatch.setattr(compromised_keys, "AT_ONCE", 1)
    keys = [key_of("p-256", number) for number in (1, 2, 3)]
    before = next(step.version for step in migrations() if "compromised_key" in step.name) - 1
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as connection:
        migrate(connection, tmp_path, steps=migrations()[:before])
        revoke_in_older_store(connection, keys)
    with open_store(tmp_path / "store.db") as store:
        found = [find_compromised_key(store, key_hash(key.public_key())) for key in keys]
    assert found == [(1, "clients"), None, (3, "clients")]


def test_the_log_of_an_older_store_is_remembered_from_then_on(tmp_path: Path) -> None:
    """By its certificates, and by each CA the newest entry that is of none."""
    path = tmp_path / "store.db"
    before = next(step.version for step in migrations() if "witnesses" in step.name) - 1
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, tmp_path, steps=migrations()[:before])
        connection.execute(
            "insert into ca (name, purpose, certificate, key_id, state, created_at, crl_number)"
            " values ('clients', 'client', x'', 'key-1', 'active', 1, 0)"
        )
        head = LogHead(0, GENESIS_HASH)
        for action, serial in (("ca certificate", 7), ("certificate", 5), ("crl 1", None), ("certificate", 6)):
            use = chain(head, NewKeyUse(1, "root", action, "clients", serial, b""))
            head = LogHead(use.sequence, use.hash)
            octets = None if serial is None else serial.to_bytes(20, "big")
            row = (*use[:5], octets, *use[6:])
            connection.execute("insert into key_use values (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            if action == "certificate":
                connection.execute(
                    "insert into certificate (serial_number, issuer, name, profile, created_at, created_by, status,"
                    " subject, names, not_before, not_after, key_use)"
                    " values (?, 'clients', 'ann', 'client', 1, 'root', 'valid', '', '', 1, 2, ?)",
                    (octets, use.sequence),
                )
        connection.execute("update key_use_head set sequence = ?, hash = ?", head)
    with open_store(path) as store:
        assert store.verify_key_uses() == (head, ())
        known = "select key_use, key_use_hash from certificate union select key_use, key_use_hash from ca order by 1"
        logged = [(use.sequence, use.hash) for use in store.key_uses()]
        assert store.rows(known) == logged[1:]
        assert store.row("select key_uses from ca") == (2,)


def test_a_newer_store_is_refused_unchanged(tmp_path: Path) -> None:
    """A program that does not know the schema keeps its hands off, and says which it knows."""
    with new_store(tmp_path) as store:
        issue(store, certificate())
        store.run("insert into schema_version values (9999, 'future')")
    before = (tmp_path / "store.db").read_bytes()
    with pytest.raises(StoreError, match="has schema 9999") as caught:
        open_store(tmp_path / "store.db")
    assert caught.value.code == "store.too_new"
    assert (tmp_path / "store.db").read_bytes() == before
