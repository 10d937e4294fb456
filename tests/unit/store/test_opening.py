"""Whose file it is, who may read it, and that what is not ours stays as it is."""

from __future__ import annotations

import os
import random
import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import FileError, InputError, StoreError
from counterseal.store import connection
from counterseal.store.records import Query
from counterseal.store.sqlite import open_store
from store_fixtures import DAY, NOW, certificate, issue, new_store, reservation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TABLE_LEAF = 0x0D  # https://www.sqlite.org/fileformat.html 1.6


@pytest.fixture
def wide_umask() -> Iterator[None]:
    """Let new files be as wide as their creator asks."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(directory: Path) -> dict[str, int]:
    """Return the mode of every file there."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}


@pytest.mark.usefixtures("wide_umask")
def test_all_three_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    """The database, its log and its shared memory, whatever the umask."""
    with new_store(tmp_path) as store:
        issue(store, certificate())
        assert modes(tmp_path) == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


@pytest.mark.usefixtures("wide_umask")
def test_a_file_that_became_wider_is_narrowed(tmp_path: Path) -> None:
    """A copy made by hand is for its owner alone again once it is used."""
    new_store(tmp_path).close()
    (tmp_path / "store.db").chmod(0o644)
    with open_store(tmp_path / "store.db") as store:
        issue(store, certificate())
        assert set(modes(tmp_path).values()) == {0o600}


def test_a_commit_is_on_disk_before_it_returns(tmp_path: Path) -> None:
    """Write-ahead log, full synchronisation and foreign keys are on for every connection."""
    new_store(tmp_path).close()
    with open_store(tmp_path / "store.db") as store:
        settings = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema")
        found = [store.rows(f"pragma {name}")[0][0] for name in settings]
        assert found == ["wal", 2, 1, 0]


@pytest.mark.parametrize("content", [None, b""])
def test_no_store_is_made_unasked(tmp_path: Path, content: bytes | None) -> None:
    """Neither where there is nothing nor in an empty file; and init is named."""
    path = tmp_path / "store.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StoreError, match="no store here") as caught:
        open_store(path)
    assert caught.value.code == "store.missing"
    assert "init" in (caught.value.hint or "")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == (
        [] if content is None else [("store.db", b"")]
    )


def test_creating_goes_on_from_an_empty_file(tmp_path: Path) -> None:
    """What a crash in the middle of creating leaves behind is no obstacle."""
    (tmp_path / "store.db").touch()
    with open_store(tmp_path / "store.db", create=True) as store:
        assert store.cas() == ()


def test_creating_keeps_a_store_that_is_there(tmp_path: Path) -> None:
    """It is opened, with what is in it."""
    with new_store(tmp_path) as store:
        issue(store, certificate())
    with open_store(tmp_path / "store.db", create=True) as store:
        assert store.certificate(certificate().serial_number) == certificate()


def _truncate(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _cut_inside_a_page(content: bytes) -> bytes:
    return content[:-100]


def _randomise(content: bytes) -> bytes:
    return random.Random(1).randbytes(len(content))  # noqa: S311 - damage, no secret


def _spoil_header(content: bytes) -> bytes:
    return b"SQLite format 4\0" + content[16:]


def _keep_header_only(content: bytes) -> bytes:
    return content[:16] + random.Random(2).randbytes(len(content) - 16)  # noqa: S311 - damage, no secret


def _replace_by_text(_: bytes) -> bytes:
    return b"dear diary\n"


@pytest.mark.parametrize(
    "damage",
    [_truncate, _cut_inside_a_page, _randomise, _spoil_header, _keep_header_only, _replace_by_text],
)
@pytest.mark.parametrize("create", [False, True])
def test_a_damaged_file_is_refused_and_left(tmp_path: Path, damage: Callable[[bytes], bytes], create: bool) -> None:  # noqa: FBT001 - a test parameter
    """Every byte of it is as before, and nothing is left beside it."""
    path = tmp_path / "store.db"
    with new_store(tmp_path) as store:
        issue(store, *(certificate(number) for number in range(1, 100)))
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    with pytest.raises(StoreError) as caught:
        open_store(path, create=create)
    assert caught.value.code == "store.corrupt"
    assert "restore a backup" in (caught.value.hint or "")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"store.db": damaged}


def test_damage_further_in_is_found_when_it_is_read(tmp_path: Path) -> None:
    """The file opens, because nobody reads it all at each start; the question that meets it and ``check`` say so."""
    path = tmp_path / "store.db"
    with new_store(tmp_path) as store:
        issue(store, *(certificate(number) for number in range(1, 300)))
        assert store.check().findings == ()
    spoilt = bytearray(path.read_bytes())
    for start in range(0, len(spoilt), 4096):
        if spoilt[start] == TABLE_LEAF and b"CN=client.device" in spoilt[start : start + 4096]:
            spoilt[start : start + 200] = b"\xff" * 200
    path.write_bytes(spoilt)
    with open_store(path) as store:
        with pytest.raises(StoreError) as caught:
            store.search(Query(limit=1000))
        assert caught.value.code == "store.corrupt"
        assert store.check().findings[0].code == "store.corrupt"


def test_another_program_s_database_is_left_alone(tmp_path: Path) -> None:
    """It is named for what it is, and not even its journal mode changes."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("create table theirs (a)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another SQLite database") as caught:
        open_store(path, create=True)
    assert caught.value.code == "store.foreign"
    assert path.read_bytes() == before


def test_a_directory_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Creating a store creates no directories."""
    with pytest.raises(StoreError, match="cannot be created") as caught:
        open_store(tmp_path / "missing" / "store.db", create=True)
    assert caught.value.code == "store.unreadable"


def test_a_store_held_by_another_is_busy(tmp_path: Path) -> None:
    """A writer that waits longer than it may says so, names fuser, and can write when the other is done."""
    with new_store(tmp_path) as store, open_store(tmp_path / "store.db", busy_seconds=0.01) as waiting:
        with store.transaction():
            with pytest.raises(StoreError, match="another process is writing") as caught:
                waiting.reserve_many([reservation(certificate())])
            assert waiting.cas() == store.cas()  # reading goes on
        assert caught.value.code == "store.busy"
        waiting.reserve_many([reservation(certificate())])


def test_a_time_beyond_64_bits_is_an_input_error(tmp_path: Path) -> None:
    """SQLite holds 64 bits; the value is refused by name."""
    with new_store(tmp_path) as store, pytest.raises(InputError, match="cannot hold"):
        store.reserved_before(1 << 70)


def test_an_old_sqlite_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python with too old a library is refused before it makes a file."""
    monkeypatch.setattr(connection, "OLDEST_SQLITE", (99, 0, 0))
    with pytest.raises(StoreError, match="too old") as caught:
        open_store(tmp_path / "store.db", create=True)
    assert caught.value.code == "store.sqlite_too_old"
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_is_a_store(tmp_path: Path) -> None:
    """Taken while another writes: one file for its owner alone, with what was committed and not what was not."""
    copy = tmp_path / "copies"
    copy.mkdir()
    with new_store(tmp_path) as store, open_store(tmp_path / "store.db") as writer:
        issue(store, certificate(1))
        with writer.transaction():
            writer.run("update ca set crl_number = 99")
            store.snapshot(copy / "copy.db")
        issue(store, certificate(2))
    assert modes(copy) == {"copy.db": 0o600}
    with open_store(copy / "copy.db") as copied:
        assert copied.check().findings == ()
        assert [record.serial_number for record in copied.search(Query(at=NOW + DAY)).records] == [1]
        assert copied.next_crl_number("clients") == 1


def test_a_snapshot_replaces_nothing(tmp_path: Path) -> None:
    """An existing file is refused and kept, as is a place that cannot be written."""
    (tmp_path / "copy.db").write_bytes(b"precious")
    with new_store(tmp_path) as store:
        with pytest.raises(FileError, match="exists already"):
            store.snapshot(tmp_path / "copy.db")
        with pytest.raises(FileError, match="no such file"):
            store.snapshot(tmp_path / "missing" / "copy.db")
    assert (tmp_path / "copy.db").read_bytes() == b"precious"


def test_a_row_that_refers_to_nothing_is_found(tmp_path: Path) -> None:
    """Somebody deleted a CA with the foreign keys off."""
    with new_store(tmp_path) as store:
        issue(store, certificate())
        store.run("pragma foreign_keys = off")
        store.run("delete from ca")
        assert [finding.message for finding in store.check().findings] == ["a row of certificate refers to nothing"]
