"""What is PostgreSQL's own: how it is opened and refused, what is lost with a connection, and the guarded log."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg.conninfo import make_conninfo

from counterseal.errors import CountersealError, InputError, StoreError
from counterseal.pki.keys import key_hash
from counterseal.store import compromised_keys, postgresql_schema, sqlite
from counterseal.store.acme.accounts import add_account
from counterseal.store.acme.authorizations import add_authorizations, write_attempt
from counterseal.store.acme.records import AccountRecord, AuthorizationRecord
from counterseal.store.compromised_keys import find_compromised_key
from counterseal.store.migrations import Migration, migrations
from counterseal.store.postgresql import open_store, upgrade_store
from counterseal.store.postgresql_connection import Address, connect
from counterseal.store.postgresql_schema import translate
from pki_fixtures import key_of
from pool_process import pool
from postgresql_process import cluster
from store_fixtures import CLIENTS, certificate, issue, reservation, revoke_in_older_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.store.store import Store

slow = pytest.mark.slow


@pytest.fixture
def url() -> Iterator[str]:
    """Return the URL of a database with an empty store."""
    made = cluster().create(cluster().template)
    yield made
    cluster().drop(made)


@pytest.fixture
def blank() -> Iterator[str]:
    """Return the URL of an empty database."""
    made = cluster().create()
    yield made
    cluster().drop(made)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """Return a store with a CA and five certificates."""
    with open_store(url) as opened:
        opened.add_ca(CLIENTS)
        issue(opened, *(certificate(number) for number in range(1, 6)))
        yield opened


def code(url: str) -> str:
    """Return with which error the store refuses to be opened."""
    with pytest.raises(CountersealError) as caught:
        open_store(url).close()
    return caught.value.code


def columns(store: Store, sql: str) -> set[tuple[str, str]]:
    """Return table and column of all that there is."""
    return {(table, column) for table, column in store.rows(sql)}


@slow
def test_both_databases_have_the_same_tables(url: str, tmp_path: Path) -> None:
    """Every migration runs on both, and leaves the same columns; see CONTRIBUTING.md for what is portable."""
    listed = (
        "select m.name, c.name from sqlite_master m join pragma_table_info(m.name) c"
        " where m.type = 'table' and m.name not like 'sqlite_%'"
    )
    with sqlite.open_store(tmp_path / "x.db", create=True) as ours, open_store(url) as theirs:
        expected = columns(ours, listed)
        sql = "select table_name, column_name from information_schema.columns where table_schema = current_schema()"
        assert columns(theirs, sql) == expected
        collations = "select distinct collation_name from information_schema.columns where table_schema = 'public'"
        types = "select distinct data_type from information_schema.columns where table_schema = 'public'"
        assert set(theirs.rows(collations)) == {("C",), (None,)}
        assert set(theirs.rows(types)) == {("text",), ("bigint",), ("bytea",)}


def test_only_types_of_columns_are_translated() -> None:
    """A word in a comment, a check or a name stays as it is."""
    script = "create table a (\n    integer_of text not null check (x = 'blob'),\n    b integer\n);\n-- a blob\n"
    expected = script.replace(" text ", ' text collate "C" ').replace("b integer", "b bigint")
    assert translate(script) == expected
    assert translate("alter table a add column c blob") == "alter table a add column c bytea"


@slow
def test_a_database_without_a_store_is_said(blank: str) -> None:
    """Empty, of somebody else, or not there at all."""
    assert code(blank) == "store.missing"
    assert code(blank.replace("/test_", "/nobody_")) == "store.unreachable"
    cluster().sql("create table theirs (a int)", urlsplit(blank).path[1:])
    assert code(blank) == "store.foreign"


@slow
def test_an_older_store_is_upgraded_when_told(blank: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not by opening it, because other hosts may run the older program; and a newer one is refused, unchanged."""
    known = postgresql_schema.steps()
    monkeypatch.setattr(postgresql_schema, "steps", lambda: known[:2])
    open_store(blank, create=True).close()
    monkeypatch.undo()
    assert code(blank) == "store.outdated"
    newest = migrations()[-1].version
    assert upgrade_store(blank) == (2, newest)
    assert upgrade_store(blank) == (newest, newest)
    (tmp_path / "9999_future.sql").write_text("create table future (a integer)")
    future = Migration(9999, "9999_future.sql", tmp_path / "9999_future.sql")
    monkeypatch.setattr(postgresql_schema, "steps", lambda: (*known, future))
    assert upgrade_store(blank) == (newest, 9999)
    monkeypatch.undo()
    assert code(blank) == "store.too_new"
    with pytest.raises(StoreError, match="has schema 9999"):
        upgrade_store(blank)


@slow
def test_keys_that_were_compromised_before_are_known(blank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The upgrade reads them out of the certificates, as with a file."""
    keys, known = [key_of("p-256", number) for number in (1, 2, 3)], postgresql_schema.steps()
    before = next(at for at, step in enumerate(known) if "compromised_key" in step.name)
    monkeypatch.setattr(postgresql_schema, "steps", lambda: known[:before])
    open_store(blank, create=True).close()
    monkeypatch.undo()
    monkeypatch.setattr(compromised_keys, "AT_ONCE", 1)
    with closing(connect(Address(blank), None, busy_seconds=1)) as connection:
        revoke_in_older_store(connection, keys)
    upgrade_store(blank)
    with open_store(blank) as store:
        found = [find_compromised_key(store, key_hash(key.public_key())) for key in keys]
    assert found == [(1, "clients"), None, (3, "clients")]


def test_a_password_is_not_taken_from_a_url_nor_shown() -> None:
    """It would be in a configuration file that others may read."""
    for url in ("postgresql://ann:hidden@db/x", "postgresql://ann@db/x?password=hidden"):
        with pytest.raises(InputError) as caught:
            Address(url)
        assert caught.value.code == "store.password_in_url"
        assert "hidden" not in caught.value.message
    assert str(Address("postgresql://ann@db1,db2:5433/x?sslrootcert=y")) == "postgresql://ann@db1,db2:5433/x"


@pytest.mark.parametrize(
    ("mistyped", "shown"),
    [
        ("mysql://db/x", "mysql://..."),
        ("nosuch", "..."),
        ("ann:hidden@db/x", "..."),
        ("postgres//ann:hidden@db/x", "..."),
        ("postgresql:/ann:hidden@db/x", "..."),
        ("POSTGRESQL://ann:hidden@db/x", "POSTGRESQL://..."),
        ("postgresql://ann:hidden/x", "postgresql://..."),
        ("host=db password=hidden", "..."),
        ("postgresql://db/x?hidden", "postgresql://..."),
        ("postgresql://ann@db/x@y", "postgresql://..."),
        ("postgresql://[::1/x", "postgresql://..."),
    ],
)
def test_of_what_is_no_url_its_scheme_alone_is_shown(mistyped: str, shown: str) -> None:
    """A slip must not bring a password into a message."""
    with pytest.raises(InputError) as caught:
        Address(mistyped)
    assert (caught.value.code, caught.value.message) == ("store.url", f"not the URL of a store: {shown}")


@pytest.mark.parametrize(
    "url",
    [
        *("postgresql:///x", "postgres://db", "postgresql://ann@[::1]:5433,[fe80::1%25lo]/x", "postgresql://a:1,b:2/x"),
        *(
            "postgresql://%2Frun%2Fpg/x?sslmode=prefer",
            "postgresql:///x?host=/run/pg&require_auth=!password",
            "postgresql://ann@/x",
        ),
    ],
)
def test_what_libpq_reads_is_taken_and_shown_without_its_options(url: str) -> None:
    """Several hosts, IPv6, sockets."""
    make_conninfo(url.replace("require_auth=!password", "sslmode=require"))  # which is newer than some libpq
    assert str(Address(url)) == url.partition("?")[0]


SIGNS = st.text(":/?#@[]&=;% ,\n1a", max_size=6)


@given(
    st.sampled_from(
        [
            *(
                "postgresql://cs:{}@127.0.0.1:1/db",
                "postgresql://cs@h:{}@127.0.0.1/db",
                "cs:{}@h/db",
                "postgres://:{}@h",
            ),
            *(
                "postgresql://h/db?password={}",
                "postgresql://h?sslmode=a;PassWord={}",
                "host=h password={}",
                "pg:/cs:{}@h",
            ),
        ]
    ),
    SIGNS,
    SIGNS,
)
@example("postgresql://cs:{}@127.0.0.1:1/db", "a://", "")
@example("postgresql://cs:{}@127.0.0.1:1/db", "1/", "")
def test_a_password_is_never_shown_whatever_signs_are_in_it(form: str, before: str, behind: str) -> None:
    """And no server is asked with it."""
    with pytest.raises(InputError) as caught:
        Address(form.format(f"{before}hidden{behind}"))
    assert caught.value.code in {"store.url", "store.password_in_url"}
    assert "hidden" not in f"{caught.value.message} {caught.value.hint}"


@slow
def test_a_writer_that_waits_too_long_is_busy(url: str) -> None:
    """Reading goes on, and it can write when the other is done."""
    with open_store(url) as store, open_store(url, busy_seconds=0.05) as waiting:
        store.add_ca(CLIENTS)
        with store.transaction():
            with pytest.raises(StoreError) as caught:
                waiting.reserve_many([reservation(certificate())])
            assert caught.value.code == "store.busy"
            assert len(waiting.cas()) == 1
        waiting.reserve_many([reservation(certificate())])


@slow
def test_a_lost_connection_is_said_and_leaves_nothing(url: str, store: Store) -> None:
    """The server ends it in the middle of a transaction."""
    (row,) = store.rows("select pg_backend_pid()")
    store.begin()
    store.reserve_many([reservation(certificate(77))])
    cluster().sql(f"select pg_terminate_backend({row[0]})")
    with pytest.raises(StoreError) as caught:
        store.commit()
    store.abandon()
    assert caught.value.code == "store.unreachable"
    with open_store(url) as again:
        assert again.reserved_before(1 << 40) == ()


@slow
def test_a_connection_lost_before_the_rollback_is_made_anew(store: Store) -> None:
    """What was begun is over all the same, and what comes next is a transaction of its own."""
    (row,) = store.rows("select pg_backend_pid()")
    store.begin()
    store.reserve_many([reservation(certificate(77))])
    cluster().sql(f"select pg_terminate_backend({row[0]})")
    with pytest.raises(StoreError, match="database"):
        store.abandon()
    store.reserve_many([reservation(certificate(78))])
    assert [one.serial_number for one in store.reserved_before(1 << 40)] == [78]


@slow
def test_an_attempt_is_written_once_more_for_its_commit(store: Store) -> None:
    """A commit that wrote nothing would not wait for the disk."""
    add_account(store, AccountRecord("a", "t", "{}", "valid", "[]", terms_agreed=True, external_key=None, created_at=1))
    pending = AuthorizationRecord(
        "z", "a", "dns", "x.test", wildcard=False, status="pending", token="t", created_at=1, expires_at=2
    )
    add_authorizations(store, [pending])
    with store.transaction():
        write_attempt(store, "z")
        assert store.row("select pg_current_xact_id_if_assigned() is not null") == (True,)


@slow
def test_an_error_that_was_passed_over_is_not_committed(store: Store) -> None:
    """PostgreSQL answers such a commit with a rollback and no error: we have one."""
    store.begin()
    with pytest.raises(StoreError, match="breaks its rules"):
        store.run("insert into key_use_head (only_row, sequence, hash) values (2, 0, '')")
    with pytest.raises(StoreError) as caught:
        store.commit()
    assert caught.value.code == "store.rolled_back"
    store.abandon()
    assert len(store.cas()) == 1


@slow
def test_rows_are_streamed_between_other_statements(store: Store) -> None:
    """As in SQLite: what is read for long does not stop what else is asked."""
    seen = 0
    for use in store.key_uses():
        assert store.certificate(use.serial_number or 0).serial_number == use.serial_number
        seen += 1
    assert seen == 5
    assert next(iter(store.key_uses(after=3))).sequence == 4
    assert store.rows("select * from pg_cursors") == []


@slow
@pytest.mark.parametrize(
    "statement",
    [
        "update key_use set actor = 'nobody' where sequence = 3",
        "delete from key_use where sequence = 5",
        "truncate key_use",
        "delete from key_use_head",
        "truncate key_use_head",
        "update key_use_head set sequence = 4",
        "update key_use_head set hash = ''",
    ],
)
def test_the_log_is_append_only_and_a_change_past_that_is_found(store: Store, statement: str) -> None:
    """A careless tool is refused; whoever owns the tables and switches the triggers off is found by the hashes."""
    with pytest.raises(StoreError, match="append-only") as caught:
        store.run(statement)
    assert caught.value.code == "store.constraint"
    assert store.verify_key_uses().findings == ()
    for table in ("key_use", "key_use_head"):
        store.run(f"alter table {table} disable trigger user")
    store.run(statement)
    assert store.verify_key_uses().findings != ()


@slow
def test_a_value_that_no_column_holds_is_an_input_error(store: Store) -> None:
    """A time past 64 bits, and the one character that PostgreSQL has no place for."""
    with pytest.raises(InputError, match="cannot hold"):
        store.reserved_before(1 << 70)
    with pytest.raises(InputError, match="cannot hold"):
        store.by_name("a\0b")
    assert len(store.by_name(certificate().name)) == 5


@slow
def test_what_would_lose_commits_is_found(store: Store) -> None:
    """This server of the tests does not wait for its disk."""
    assert {finding.code for finding in store.check().findings} == {"store.not_durable"}
    assert store.size() > 1_000_000


@slow
@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pool_that_shares_connections_is_refused(url: str, mode: str, *, busy: bool) -> None:
    """What one client sets would hold for another: that its commits wait for no flush, or it for no lock."""
    with pool(cluster(), mode) as url_of, ExitStack() as stack:
        if busy:  # then there are several connections to share
            others = [stack.enter_context(psycopg.connect(url_of(url), autocommit=True)) for _ in range(3)]
            with ThreadPoolExecutor() as threads:
                list(threads.map(lambda one: one.execute("select pg_sleep(0.05)"), others))
        assert [code(url_of(url)) for _ in range(3)] == ["store.pooled"] * 3


@slow
def test_a_limit_of_the_server_for_statements_ends_none_of_ours(url: str) -> None:
    """A role or database often has one; reading a long log is one statement, and ended as if somebody were writing."""
    cluster().sql(f"alter database {urlsplit(url).path.strip('/')} set statement_timeout = '20ms'")
    with open_store(url) as store:
        assert store.row("select 1 from pg_sleep(0.1)") == (1,)


@slow
def test_a_pool_that_leaves_each_client_its_connection_is_none(url: str) -> None:
    """Several at a time, too."""
    with pool(cluster(), "session") as url_of, open_store(url_of(url)) as store, open_store(url_of(url)) as other:
        assert store.cas() == other.cas()


def test_a_database_of_another_encoding_is_refused() -> None:
    """Names of certificates would not fit into it."""
    url = cluster().create()
    name = urlsplit(url).path.strip("/")
    cluster().sql(f"drop database {name}")
    cluster().sql(f"create database {name} template template0 encoding 'SQL_ASCII'")
    with pytest.raises(StoreError, match="the database is not in UTF8 but SQL_ASCII: ") as caught:
        open_store(url, create=True)
    assert caught.value.code == "store.encoding"
