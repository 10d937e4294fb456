"""From a file to PostgreSQL and back: the same rows, and an old store that nobody can use by mistake."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from command import counterseal
from counterseal.errors import StoreError
from counterseal.store import sqlite
from counterseal.store.acme.accounts import add_account
from counterseal.store.acme.records import AccountRecord
from counterseal.store.copying import contents, copy_store, tables
from counterseal.store.postgresql import open_store
from rehearsing import snapshot
from store_fixtures import NOW, certificate, issue, new_store

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.store.store import Store

pytestmark = pytest.mark.slow


def held(store: Store) -> dict[str, tuple[int, str]]:
    """Return what every table holds."""
    found = [contents(store, table) for table in tables()]
    return {one.table: (one.rows, one.hash) for one in found}


def test_there_and_back(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the commands, comments of the configuration kept; each time the one that was left refuses to sign."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(tmp_path)
    (home / "counterseal.toml").write_text('# ours\n[ca]\ncrl_lifetime = "7d"\n')
    for arguments in (("init", "--no-passphrase"), ("server", "panel.example.com"), ("client", "ann")):
        assert counterseal(home, *arguments).code == 0
    assert counterseal(home, "revoke", "ann", "--reason", "key_compromise").code == 0
    with sqlite.open_store(home / "store.sqlite") as store:
        before = held(store)
    assert before["compromised_key"][0] == 1
    tree = snapshot(tmp_path)
    planned = json.loads(counterseal(home, "db", "move", url, "--dry-run", "--json").stdout)
    assert {one["table"]: (one["rows"], one["hash"]) for one in planned["tables"]} == before
    assert f'+url = "{url}"' in planned["files"][0]["diff"]
    assert snapshot(tmp_path) == tree
    moved = counterseal(home, "db", "move", url, "--json")
    assert moved.code == 0, moved.stderr
    assert {one["table"]: (one["rows"], one["hash"]) for one in json.loads(moved.stdout)["tables"]} == before
    assert "# ours\n[ca]" in (home / "counterseal.toml").read_text()
    assert not (home / "store.sqlite").exists()
    with pytest.raises(StoreError, match=r"was moved from .* to postgresql"):
        sqlite.open_store(home / "store.sqlite.moved")
    again = counterseal(home, "db", "move", url)
    assert (again.code, "is there already" in again.stderr) == (2, True)
    assert counterseal(home, "client", "bob").code == 0
    with open_store(url) as store:
        middle = held(store)
    back = counterseal(home, "db", "move", "sqlite")
    assert back.code == 0, back.stderr
    assert (home / "counterseal.toml").read_text() == '# ours\n[ca]\ncrl_lifetime = "7d"\n'
    with sqlite.open_store(home / "store.sqlite") as store:
        assert held(store) == middle
    with pytest.raises(StoreError, match=r"was moved from postgresql.* to .*store\.sqlite"):
        open_store(url)
    assert counterseal(home, "client", "cid").code == 0
    assert counterseal(home, "log", "verify").code == 0
    for words in ((url,), (url, "--dry-run")):
        full = counterseal(home, "db", "move", *words)
        assert (full.code, "has a CA already" in full.stderr) == (1, True)
    assert counterseal(home, "client", "dan").code == 0
    assert "already" in counterseal(home, "db", "upgrade").stdout


def test_retired_cas_move_with_their_successors(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There and back; a chain of them, whose names come in either order, and which all stand below the same root."""
    home = tmp_path / "home"
    monkeypatch.chdir(tmp_path)
    assert counterseal(home, "init", "--no-passphrase").code == 0
    for old, new in (("clients", "members"), ("members", "again")):
        assert counterseal(home, "ca", "add", new, "--purpose", "client").code == 0
        assert counterseal(home, "ca", "retire", old, "--successor", new).code == 0
    with sqlite.open_store(home / "store.sqlite") as store:
        before = held(store)
    moved = counterseal(home, "db", "move", url)
    assert moved.code == 0, moved.stderr
    with open_store(url) as store:
        assert held(store) == before
        assert (store.ca("clients").successor, store.ca("members").successor) == ("members", "again")
    back = counterseal(home, "db", "move", "sqlite")
    assert back.code == 0, back.stderr
    with sqlite.open_store(home / "store.sqlite") as store:
        assert held(store) == before
    assert counterseal(home, "client", "ann", "--no-p12").code == 0


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path, url: str) -> None:
    """The target is as empty as before, and the source goes on."""
    with new_store(tmp_path) as source, open_store(url, create=True) as target:
        issue(source, *(certificate(number) for number in range(1, 30)))
        add_account(source, AccountRecord("a", "t", "{}", "valid", "[]", True, None, NOW))
        target.run("create function lose() returns trigger language plpgsql as 'begin return null; end'")
        target.run("create trigger lose before insert on acme_account for each row execute function lose()")
        with (
            pytest.raises(StoreError, match="copy differs from the store"),
            source.transaction(),
            target.transaction(),
        ):
            copy_store(source, target)
        target.run("drop trigger lose on acme_account")
        assert target.cas() == ()
        with source.transaction(), target.transaction():
            copy_store(source, target)
        assert held(target) == held(source)
        issue(target, certificate(99))
        assert target.verify_key_uses().findings == ()


def test_a_backup_of_postgresql_is_a_store_in_a_file(tmp_path: Path, url: str) -> None:
    """As the backup of a file is, so that it is restored in the same way."""
    with open_store(url, create=True) as store:
        with new_store(tmp_path) as source, source.transaction(), store.transaction():
            copy_store(source, store)
        issue(store, certificate(1))
        store.snapshot(tmp_path / "copy.db")
        with sqlite.open_store(tmp_path / "copy.db") as copy:
            assert held(copy) == held(store)
            assert copy.check().findings == ()
