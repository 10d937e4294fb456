"""Full and read-only disks: a clear error, nothing lost, and work goes on when there is space again."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

import disks
from counterseal.errors import StoreError
from counterseal.store.records import Query
from counterseal.store.sqlite import open_store
from store_fixtures import certificate, issue, key_use, new_store, reservation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from integration.store.actors import Start

SIZE = 1_500_000
OVERRIDES = "-dac_override,-dac_read_search"  # what lets root write whatever the mode says
UNPRIVILEGED = ("setpriv", f"--bounding-set={OVERRIDES}") if os.geteuid() == 0 else ()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a directory on a disk of its own, 1.5 MB small; only root can have one."""
    with disks.small_disk(tmp_path / "disk", size=SIZE) as disk:
        yield disk


def assert_sound(path: Path, failed: int) -> None:
    """Every certificate before the one that failed is there, that one is not, and nothing is damaged."""
    with open_store(path) as store:
        found = [record.serial_number for record in store.search(Query(limit=1000)).records]
        assert sorted(found) == list(range(1, failed))
        assert failed > 1
        assert store.verify_key_uses().findings == ()
        assert store.check().findings == ()


def test_a_full_disk_is_said_and_loses_nothing(small_disk: Path, start: Start) -> None:
    """It fails by name; what was recorded stays; with space again the same store goes on."""
    filler = small_disk / "filler"
    filler.write_bytes(bytes(300_000))
    new_store(small_disk).close()
    actor = start("fill", small_disk / "store.db", 0)
    actor.begin()
    code, number = actor.finish()[-1].split()
    assert code == "store.full"
    filler.unlink()
    assert_sound(small_disk / "store.db", int(number))
    with open_store(small_disk / "store.db") as store:
        issue(store, certificate(100_000))


def test_a_store_cannot_be_made_on_a_full_disk(small_disk: Path) -> None:
    """The error is the same, and once there is space the next attempt succeeds."""
    with (small_disk / "filler").open("wb", buffering=0) as stream, pytest.raises(OSError, match="No space"):
        stream.writelines(bytes(4096) for _ in range(SIZE // 2048))
    with pytest.raises(StoreError) as caught:
        open_store(small_disk / "store.db", create=True)
    assert caught.value.code in {"store.full", "store.io"}
    (small_disk / "filler").unlink()
    new_store(small_disk).close()


def test_a_snapshot_on_a_full_disk_leaves_nothing(tmp_path: Path, small_disk: Path) -> None:
    """The copy that did not fit is gone, the store is as it was."""
    with new_store(tmp_path) as store:
        issue(store, *(certificate(number, certificate=bytes(20_000)) for number in range(1, 120)))
        with pytest.raises(StoreError) as caught:
            store.snapshot(small_disk / "copy.db")
        assert caught.value.code == "store.full"
        assert list(small_disk.iterdir()) == []
        assert store.check().findings == ()


def test_a_limit_on_file_size_loses_nothing(tmp_path: Path, start: Start) -> None:
    """As under ``ulimit -f``: an error of ours, the transaction rolled back, and the process can still read."""
    new_store(tmp_path).close()
    actor = start("fill", tmp_path / "store.db", SIZE)
    actor.begin()
    code, number = actor.finish()[-1].split()
    assert code in {"store.io", "store.full"}
    assert_sound(tmp_path / "store.db", int(number))


def test_a_read_only_disk_is_said(small_disk: Path, start: Start) -> None:
    """Mounted read-only: writing is refused by name and nothing changes."""
    new_store(small_disk).close()
    before = (small_disk / "store.db").read_bytes()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    actor = start("issue_one", small_disk / "store.db", 1)
    actor.begin()
    assert actor.finish() == ["store.read_only"]
    assert (small_disk / "store.db").read_bytes() == before


def test_a_disk_that_becomes_read_only_under_an_open_store(small_disk: Path) -> None:
    """What was recorded is still read; the next write is refused, and possible again after a remount."""
    with new_store(small_disk) as store:
        issue(store, certificate(1))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreError) as caught:
        open_store(small_disk / "store.db")
    assert caught.value.code == "store.read_only"
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    with open_store(small_disk / "store.db") as store:
        store.reserve_many([reservation(certificate(2))])
        store.record(certificate(2), key_use(certificate(2)))


@pytest.mark.parametrize(("directory_mode", "file_mode"), [(0o500, 0o600), (0o500, 0o400), (0o700, 0o400)])
@pytest.mark.parametrize("act", ["issue_one", "look"])
def test_files_of_somebody_else_are_said(
    tmp_path: Path, start: Start, directory_mode: int, file_mode: int, act: str
) -> None:
    """Without the right to write, a store whose log is not open cannot be used, and that is what the error says."""
    directory = tmp_path / "theirs"
    directory.mkdir()
    with new_store(directory) as store:
        issue(store, certificate(2))
    (directory / "store.db").chmod(file_mode)
    directory.chmod(directory_mode)
    try:
        actor = start(act, directory / "store.db", 2, through=UNPRIVILEGED)
        actor.begin()
        assert actor.finish() == ["client.device" if act == "look" and directory_mode == 0o700 else "store.read_only"]
    finally:
        directory.chmod(0o700)
