"""Generations on disk: written whole, switched in one step, verified, pruned."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from shutil import copytree
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import DeployError, FileError, NotFoundError
from counterseal.fileset import SECRET, FileSet, PlannedFile
from counterseal.nginx.generations import (
    Directories,
    Generation,
    find_changes,
    list_generations,
    mark_proven,
    next_number,
    prepare_link,
    read_current,
    read_generation,
    switch_link,
    write_generation,
)
from counterseal.nginx.retention import clean, find_previous, prune

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 8, 25, tzinfo=UTC)
FILES = FileSet((PlannedFile("nginx.conf", b"events {}"), PlannedFile("tls/site.key", b"secret", SECRET)))


def _write(base: Path, files: FileSet = FILES) -> Generation:
    return write_generation(base, files, number=next_number(base), created_at=NOW, reason="test")


def _put_in_force(base: Path, number: int, *, proven: bool = True) -> None:
    switch_link(base, prepare_link(base, number, name="next"))
    if proven:
        mark_proven(read_generation(base, number))


def test_a_generation_is_written_with_its_modes_and_a_manifest(tmp_path: Path) -> None:
    """Workers may pass through the directories, keys stay 0600, and the manifest can be read back."""
    usual = os.umask(0o077)
    try:
        made = _write(tmp_path)
    finally:
        os.umask(usual)
    modes = {
        str(path.relative_to(made.directory)): stat.S_IMODE(path.stat().st_mode) for path in made.directory.rglob("*")
    }
    assert modes == {"manifest.json": 0o644, "nginx.conf": 0o644, "tls": 0o755, "tls/site.key": 0o600}
    assert stat.S_IMODE(made.directory.stat().st_mode) == 0o711
    assert read_generation(tmp_path, 1) == made
    assert made.manifest is not None
    assert (made.manifest.created_at, made.manifest.previous, made.proven) == (NOW, None, False)


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    """Neither the number nor a hidden directory remains."""
    with pytest.raises(FileError):
        _write(tmp_path, FileSet((PlannedFile("a", b"1"), PlannedFile("a/b", b"2"))))
    assert list(Directories(tmp_path).generations.iterdir()) == []


def test_a_file_may_not_take_the_manifest_s_place(tmp_path: Path) -> None:
    """The manifest is ours."""
    with pytest.raises(FileError, match="exists already"):
        _write(tmp_path, FileSet((PlannedFile("manifest.json", b"{}"),)))


def test_the_link_is_relative_and_switched_by_rename(tmp_path: Path) -> None:
    """The base can be moved, and there is never a moment without a link."""
    assert read_current(tmp_path) is None
    _write(tmp_path)
    _write(tmp_path)
    _put_in_force(tmp_path, 1)
    back = prepare_link(tmp_path, 1, name="back")
    _put_in_force(tmp_path, 2)
    assert (read_current(tmp_path), str((tmp_path / "current").readlink())) == (2, "generations/0002")
    switch_link(tmp_path, back)
    assert read_current(tmp_path) == 1
    switch_link(tmp_path, prepare_link(tmp_path, None, name="back"))
    assert read_current(tmp_path) is None


@pytest.mark.parametrize("foreign", ["directory", "link"])
def test_what_is_not_our_link_is_refused(tmp_path: Path, foreign: str) -> None:
    """A directory or a link elsewhere is never replaced in silence."""
    if foreign == "directory":
        (tmp_path / "current").mkdir()
    else:
        (tmp_path / "current").symlink_to("/etc")
    with pytest.raises(DeployError) as caught:
        read_current(tmp_path)
    assert caught.value.code == "deploy.foreign_link"


def test_changed_missing_and_added_files_are_found(tmp_path: Path) -> None:
    """The same bytes means the same files, no fewer and no more."""
    made = _write(tmp_path)
    assert find_changes(made) == ()
    (made.directory / "nginx.conf").write_bytes(b"edited")
    (made.directory / "tls/site.key").unlink()
    (made.directory / "added").write_bytes(b"")
    assert find_changes(made) == ("added", "nginx.conf", "tls/site.key")


def test_a_generation_without_a_readable_manifest_is_listed_as_unproven(tmp_path: Path) -> None:
    """It can be seen and pruned, but never rolled back to."""
    made = _write(tmp_path)
    (made.directory / "manifest.json").write_bytes(b"{")
    (found,) = list_generations(tmp_path)
    assert (found.manifest, found.proven, find_changes(found)) == (None, False, ("manifest.json",))
    with pytest.raises(NotFoundError, match="no such generation: 9"):
        read_generation(tmp_path, 9)


def test_what_somebody_else_put_there_is_no_generation(tmp_path: Path) -> None:
    """A file with a number for a name kept every revocation from nginx; a copy made by hand pushed all numbers up."""
    made = _write(tmp_path)
    generations = made.directory.parent
    copytree(made.directory, generations / "20261127")
    for name in ("0002", "0042", "00001", "notes"):
        (generations / name).touch()
    assert [found.number for found in list_generations(tmp_path)] == [1]
    assert _write(tmp_path).number == 3
    (generations / "0004").symlink_to("gone")
    assert _write(tmp_path).number == 5


def test_the_previous_is_the_one_that_was_in_force_not_the_one_numbered_before(tmp_path: Path) -> None:
    """After 2 was left for 1, a generation 3 goes back to 1."""
    for number in (1, 2):
        _write(tmp_path)
        _put_in_force(tmp_path, number)
    assert find_previous(tmp_path) == 1
    _put_in_force(tmp_path, 1)
    _write(tmp_path)
    _put_in_force(tmp_path, 3)
    assert find_previous(tmp_path) == 1


def test_the_previous_that_is_gone_is_replaced_by_the_next_older_proven_one(tmp_path: Path) -> None:
    """A rollback has somewhere to go as long as a proven generation is there."""
    for number in (1, 2, 3, 4):
        _write(tmp_path)
        _put_in_force(tmp_path, number, proven=number != 3)
    assert find_previous(tmp_path) == 2


def test_pruning_keeps_five_the_current_and_the_one_before_it(tmp_path: Path) -> None:
    """Also when the current one is older than the five newest; failed ones go, unless one is the newest of all."""
    for number in range(1, 10):
        _write(tmp_path)
        _put_in_force(tmp_path, number, proven=number != 8)
    _put_in_force(tmp_path, 2)
    _write(tmp_path)
    assert prune(tmp_path) == (3, 8)
    assert [found.number for found in list_generations(tmp_path)] == [1, 2, 4, 5, 6, 7, 9, 10]
    _put_in_force(tmp_path, 10)
    assert prune(tmp_path) == (1, 4)
    assert next_number(tmp_path) == 11


def test_what_a_killed_process_left_is_cleaned(tmp_path: Path) -> None:
    """Hidden generations, prepared links and temporary files go; what has a name stays."""
    made = _write(tmp_path)
    (tmp_path / "generations/.0002.abc.tmp/tls").mkdir(parents=True)
    (tmp_path / ".journal.json.abc.tmp").write_bytes(b"")
    (made.directory / ".manifest.json.abc.tmp").write_bytes(b"")
    prepare_link(tmp_path, 1, name="next")
    clean(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["generations"]
    assert [path.name for path in (tmp_path / "generations").iterdir()] == ["0001"]
    assert find_changes(made) == ()


def test_what_we_may_not_look_at_is_an_error_of_ours(tmp_path: Path) -> None:
    """A file in the place of the directory, or a base that is none, never ends in a bare OSError."""
    (tmp_path / "generations").write_bytes(b"")
    with pytest.raises(FileError, match="not a directory"):
        list_generations(tmp_path)
    (tmp_path / "base").write_bytes(b"")
    with pytest.raises(FileError, match="not a directory"):
        read_current(tmp_path / "base")


def test_a_link_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    """Something stands where it is prepared, or where it is to be."""
    (tmp_path / ".current.next.tmp").mkdir()
    with pytest.raises(FileError, match="cannot link generation 7: ") as caught:
        prepare_link(tmp_path, 7, name="next")
    assert caught.value.code == "file.link"
    with pytest.raises(FileError, match=f"cannot switch {Directories(tmp_path).current}: "):
        switch_link(tmp_path, tmp_path / "gone")
