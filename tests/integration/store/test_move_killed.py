"""A move is killed at each of its steps, in both directions: one store lives, or an error says where the new one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from command import counterseal
from counterseal.errors import StoreError
from counterseal.store import sqlite
from counterseal.store.postgresql import open_store
from dying import die

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.store.store import Store

pytestmark = pytest.mark.slow

MOVING = "counterseal.compose.moving"
NOT_YET, LEFT, DONE = "not yet", "left", "done"


def is_left(home: Path, url: str | None) -> bool:
    """Whether the store refuses to be used, because it was moved away, or is put aside."""
    store: Store
    try:
        store = open_store(url) if url else sqlite.open_store(home / "store.sqlite")
    except StoreError as error:
        if error.code not in {"store.moved", "store.missing"}:
            raise
        return True
    store.close()
    return False


def listing(home: Path) -> str:
    """Return what the command line lists, or its error."""
    listed = counterseal(home, "list")
    return listed.stdout or listed.stderr


@pytest.mark.parametrize(
    ("to_file", "where", "state"),
    [
        (False, "copy_store", NOT_YET),
        (False, "retire", NOT_YET),
        (False, "write_fileset", LEFT),
        (False, "_put_aside", DONE),
        (True, "copy_store", NOT_YET),
        (True, "retire", NOT_YET),
        (True, "write_fileset", LEFT),
    ],
)
def test_a_move_that_is_killed(tmp_path: Path, url: str, where: str, state: str, *, to_file: bool) -> None:
    """Nobody can use both, and the same command goes on where the old one was retired."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "counterseal.toml").write_text(f'[store]\nurl = "{url}"\n' if to_file else "")
    assert counterseal(home, "init", "--no-passphrase").code == 0
    assert counterseal(home, "client", "ann", "--out", str(tmp_path)).code == 0
    to, old, new = ("sqlite", url, None) if to_file else (url, None, url)
    retire = (
        "counterseal.store.postgresql:PostgreSQLStore.retire"
        if to_file
        else "counterseal.store.sqlite:SQLiteStore.retire"
    )
    die(home, retire if where == "retire" else f"{MOVING}:{where}", 1, "db", "move", to)

    assert is_left(home, old) is (state != NOT_YET)
    assert ("was moved from" if state == LEFT else "ann") in listing(home)
    again = counterseal(home, "db", "move", to)
    if where == "retire":  # the copy is whole, and nothing names it
        assert (again.code, "has a CA already" in again.stderr) == (1, True)
        assert counterseal(home, "client", "bob", "--out", str(tmp_path)).code == 0
        return
    assert (again.code, "is there already" in again.stderr) == ((2, True) if state == DONE else (0, False))
    assert (is_left(home, old), is_left(home, new)) == (True, False)
    assert "ann" in listing(home)
    assert counterseal(home, "client", "bob", "--out", str(tmp_path)).code == 0
