"""Atomic writing: modes, refusals, and nothing left behind."""

from __future__ import annotations

import os
import stat
from errno import EOPNOTSUPP, EPERM
from pathlib import Path

import pytest

from counterseal import files
from counterseal.errors import FileError, InputError
from counterseal.files import make_directory, preview, read_file, write_file, write_fileset
from counterseal.fileset import SECRET, FileSet, PlannedFile


def test_a_secret_is_created_with_mode_0600(tmp_path: Path) -> None:
    """The mode is exact whatever the umask says."""
    write_file(tmp_path / "key", b"secret", mode=SECRET)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == SECRET


def test_no_directory_is_wider_than_asked_for(tmp_path: Path) -> None:
    """Also those on the way, which an open umask would leave to everybody; a narrow umask is heeded."""
    for umask, mode in ((0, 0o755), (0o077, 0o700)):
        base = tmp_path / f"{umask:o}"
        before = os.umask(umask)
        try:
            make_directory(base / "sites" / "a", mode=0o700)
            write_fileset(base / "out" / "b", FileSet((PlannedFile("c/d", b"1"),)))
        finally:
            os.umask(before)
        modes = {str(path.relative_to(base)): stat.S_IMODE(path.stat().st_mode) for path in base.rglob("*/")}
        out = dict.fromkeys(("out", "out/b", "out/b/c"), mode)
        assert {name: found for name, found in modes.items() if name != "out/b/c/d"} == {
            **dict.fromkeys(("sites", "sites/a"), 0o700),
            **out,
        }
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="cannot create directory"):
        make_directory(tmp_path / "file" / "a" / "b")


def test_an_existing_file_is_refused_and_kept(tmp_path: Path) -> None:
    """Without overwrite the old bytes stay and no temporary file remains."""
    (tmp_path / "key").write_bytes(b"old")
    with pytest.raises(FileError, match="exists already"):
        write_file(tmp_path / "key", b"new", mode=SECRET, overwrite=False)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("key", b"old")]


@pytest.mark.parametrize("number", [EPERM, EOPNOTSUPP])
def test_a_new_file_needs_no_links(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a memory stick with FAT, where a backup goes; what is there is refused all the same."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    write_file(tmp_path / "new", b"new", mode=SECRET, overwrite=False)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for taken in ("new", "link"):
        with pytest.raises(FileError, match="exists already"):
            write_file(tmp_path / taken, b"newer", mode=SECRET, overwrite=False)
    assert {path.name for path in tmp_path.iterdir()} == {"new", "link"}
    assert ((tmp_path / "new").read_bytes(), stat.S_IMODE((tmp_path / "new").stat().st_mode)) == (b"new", SECRET)


def test_a_failed_set_removes_what_it_made(tmp_path: Path) -> None:
    """When the second file cannot be written the first one is taken away again."""
    (tmp_path / "blocked").write_bytes(b"a file where a directory should be")
    planned = FileSet((PlannedFile("first", b"1"), PlannedFile("blocked/second", b"2")))
    with pytest.raises(FileError, match="cannot create directory"):
        write_fileset(tmp_path, planned)
    assert [path.name for path in tmp_path.iterdir()] == ["blocked"]


def test_a_failed_set_replaces_nothing(tmp_path: Path) -> None:
    """A new key never stands beside an old certificate: nothing is put in place before everything is written."""
    (tmp_path / "key").write_bytes(b"old")
    (tmp_path / "blocked").write_bytes(b"a file where a directory should be")
    planned = FileSet((PlannedFile("key", b"new", SECRET), PlannedFile("blocked/certificate", b"2")))
    with pytest.raises(FileError):
        write_fileset(tmp_path, planned)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()}["key"] == b"old"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_set_that_fails_between_its_renames_is_put_back(tmp_path: Path) -> None:
    """A directory where a file should be refuses the rename alone: the key that was there has no other copy."""
    (tmp_path / "key").write_bytes(b"old")
    (tmp_path / "key").chmod(0o400)
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "blocked").mkdir()
    planned = FileSet(
        (
            PlannedFile("key", b"new", SECRET),
            PlannedFile("link", b"2"),
            PlannedFile("new", b"3"),
            PlannedFile("blocked", b""),
        )
    )
    with pytest.raises(FileError, match="is a directory"):
        write_fileset(tmp_path, planned)
    assert {path.name for path in tmp_path.iterdir()} == {"key", "link", "blocked"}
    assert ((tmp_path / "key").read_bytes(), stat.S_IMODE((tmp_path / "key").stat().st_mode)) == (b"old", 0o400)
    assert str((tmp_path / "link").readlink()) == "nowhere"


def test_a_preview_writes_nothing_and_hides_secrets(tmp_path: Path) -> None:
    """A dry run shows path, mode, size and a diff for text, but never a secret."""
    (tmp_path / "a").write_bytes(b"one\n")
    shown = preview(tmp_path, FileSet((PlannedFile("a", b"two\n"), PlannedFile("k", b"secret", SECRET))))
    assert [(row.change, row.size) for row in shown] == [("changed", 4), ("new", 6)]
    assert "+two" in (shown[0].diff or "")
    assert shown[1].diff is None
    assert not (tmp_path / "k").exists()
    assert "secret" not in repr(PlannedFile("k", b"secret", SECRET))


def test_a_secret_that_others_may_read_is_not_the_same(tmp_path: Path) -> None:
    """So it is written again, with its mode; a narrower one is left as it is."""
    planned = FileSet((PlannedFile("k", b"secret", SECRET), PlannedFile("c", b"public")))
    write_fileset(tmp_path, planned)
    for mode, change in ((0o644, "changed"), (0o600, "same"), (0o400, "same")):
        (tmp_path / "k").chmod(mode)
        (tmp_path / "c").chmod(mode)
        assert [row.change for row in preview(tmp_path, planned)] == [change, "same"]


def test_what_never_ends_is_not_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device, or a file that somebody named by mistake: the limit holds to the octet."""
    monkeypatch.setattr(files, "LARGEST", 300_000)
    (tmp_path / "x").write_bytes(b"x" * 300_000)
    assert len(read_file(tmp_path / "x")) == 300_000
    (tmp_path / "x").write_bytes(b"x" * 300_001)
    for path in (tmp_path / "x", Path("/dev/zero")):
        with pytest.raises(InputError, match=f"file is larger than .*{path}"):
            read_file(path)
