"""The write-ahead log's header in shared memory: other octets after each commit, nothing where that is not sure."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from mmap import mmap
from typing import TYPE_CHECKING

import pytest

from counterseal.store.sqlite import open_store
from counterseal.store.wal_index import WalIndex, wal_index
from store_fixtures import certificate, new_store, reservation

if TYPE_CHECKING:
    from pathlib import Path


def test_every_commit_is_seen_and_nothing_else(tmp_path: Path) -> None:
    """By whatever connection, also of what follows when the log is begun anew; reading and undoing change nothing."""
    with new_store(tmp_path) as reader, open_store(tmp_path / "store.db") as writer:
        state = reader.watch()
        seen = [state()]
        for number in range(1, 7):
            writer.reserve_many([reservation(certificate(number))])
            seen.append(state())
            reader.cas()
            writer.begin()
            writer.reserve_many([reservation(certificate(number + 100))])
            writer.abandon()
            assert state() == seen[-1]
            writer.rows(f"pragma wal_checkpoint({('passive', 'restart', 'truncate')[number % 3]})")
        writer.run("vacuum")
        seen.append(state())
        assert None not in seen
        assert len(set(seen)) == len(seen)


def test_nobody_leaves_the_log_while_it_is_watched(tmp_path: Path) -> None:
    """A commit that did not go through the log would not be seen."""
    with new_store(tmp_path), closing(sqlite3.connect(tmp_path / "store.db", timeout=0)) as other:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("pragma journal_mode = delete")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.executescript("pragma locking_mode = exclusive; begin exclusive; pragma journal_mode = delete;")


@pytest.mark.parametrize("replacement", [None, b"", bytes(32_768)], ids=["removed", "empty", "another one"])
def test_another_file_than_the_one_in_use_says_nothing(tmp_path: Path, replacement: bytes | None) -> None:
    """SQLite goes on with the file that it has; what has its name now is not asked."""
    with new_store(tmp_path) as store:
        shared = tmp_path / "store.db-shm"
        shared.rename(tmp_path / "moved")
        if replacement is not None:
            shared.write_bytes(replacement)
        assert wal_index(tmp_path / "store.db") is None
        assert store.watch()() is None


def test_a_header_of_which_one_copy_is_written_says_nothing(tmp_path: Path) -> None:
    """Nor does one of a format that is not known."""
    with new_store(tmp_path) as store:
        header = store.watch()() or b""
    for spoilt in (0, 20, 68):
        memory = mmap(-1, len(header))
        memory[:] = header
        assert WalIndex(memory).header() == header
        memory[spoilt] ^= 1
        assert WalIndex(memory).header() is None
