"""The log of CA keys verified by command: rewritten by whoever owns the store, and against a head noted elsewhere."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from command import counterseal, here

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def verification(home: Path, *more: str) -> tuple[int, dict[str, Any]]:
    """Return the exit code and what is found."""
    ran = counterseal(home, "log", "verify", "--json", *more)
    return ran.code, json.loads(ran.stdout)


def cut(home: Path, kept: int) -> None:
    """Delete the newest entries and set the head back, as whoever owns the file can."""
    with closing(sqlite3.connect(home / "store.sqlite")) as connection, connection:
        triggers = "select name from sqlite_master where type = 'trigger' and name like 'key_use%'"
        for (name,) in connection.execute(triggers).fetchall():
            connection.execute(f"drop trigger {name}")
        back = "update key_use_head set (sequence, hash) = (select sequence, hash from key_use where sequence = ?)"
        connection.execute(back, (kept,))
        connection.execute("delete from key_use where sequence > ?", (kept,))


def test_nobody_writes_anothers_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is the caller's to choose; a user without a name is known by his number."""
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "mallory")
    home, uid = tmp_path / "home", max(one.pw_uid for one in pwd.getpwall()) + 1
    assert counterseal(home, "init", "--no-passphrase").code == 0
    with monkeypatch.context() as nameless:
        nameless.setattr(os, "getuid", lambda: uid)
        assert here(home, "client", "ann", "--out", str(tmp_path / "out")).code == 0
    *before, last = json.loads(counterseal(home, "log", "show", "--json").stdout)["key_uses"]
    assert {use["actor"] for use in before} == {pwd.getpwuid(os.getuid()).pw_name}
    assert last["actor"] == f"uid {uid}"


def test_lists_cut_off_the_end_are_found(tmp_path: Path) -> None:
    """Nothing but a list was signed since: its CA knows that."""
    home = tmp_path / "home"
    assert counterseal(home, "init", "--no-passphrase").code == 0
    before = int(verification(home)[1]["head"].partition(":")[0])
    assert counterseal(home, "crl").code == 0
    assert verification(home)[1]["intact"]
    cut(home, before)
    code, found = verification(home)
    assert (code, found["intact"]) == (3, False)
    assert {one["code"] for one in found["findings"]} == {"log.unlogged"}
    assert {one["where"].partition(",")[0] for one in found["findings"]} == {"CA root", "CA servers", "CA clients"}


def test_an_older_copy_put_back_is_found_by_the_head_that_refresh_said(tmp_path: Path) -> None:
    """It is sound in itself; what the journal has of it is not in it."""
    home, copy = tmp_path / "home", tmp_path / "copy"
    assert counterseal(home, "init", "--no-passphrase").code == 0
    shutil.copytree(home, copy)
    assert counterseal(home, "client", "ann", "--out", str(tmp_path / "out")).code == 0
    told = re.search(r"^log of CA keys: (\d+:[0-9a-f]{64})$", counterseal(home, "refresh").stderr, re.MULTILINE)
    assert told is not None
    assert json.loads(counterseal(home, "refresh", "--json").stdout)["log_head"] == told[1]
    assert counterseal(home, "client", "bob", "--out", str(tmp_path / "out")).code == 0
    shown = counterseal(home, "log", "verify", "--anchor", told[1])
    assert (shown.code, shown.stdout.splitlines()[0]) == (
        0,
        f"the log is intact, and has entry {told[1].partition(':')[0]} as noted",
    )
    assert verification(copy)[0] == 0
    code, found = verification(copy, "--anchor", told[1])
    assert (code, [one["code"] for one in found["findings"]]) == (3, ["log.anchor"])


def test_half_a_head_is_refused(tmp_path: Path) -> None:
    """It would prove nothing."""
    assert counterseal(tmp_path / "home", "init", "--no-passphrase").code == 0
    ran = counterseal(tmp_path / "home", "log", "verify", "--anchor", "7:5f0c")
    assert (ran.code, ran.stderr.splitlines()[0]) == (2, "error: not a head of the log: '7:5f0c'")
