"""The files of a credential: one moment of change, whatever happens in it."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from itertools import count
from typing import TYPE_CHECKING

import pytest

from counterseal.agent.place import Place, locked, only_stem, replace
from counterseal.errors import FileError
from counterseal.fileset import SECRET, FileSet, PlannedFile

if TYPE_CHECKING:
    from pathlib import Path

CHANGES = {"os.mkdir", "os.rename", "os.symlink", "os.remove", "os.rmdir", "os.link", "os.chmod"}
"""The audit events of what changes a directory."""


def files(mark: str, *more: str) -> FileSet:
    """Return a credential whose files all say ``mark``."""
    planned = [PlannedFile(f"pump.{kind}.pem", mark.encode()) for kind in ("cert", "fullchain", *more)]
    return FileSet((PlannedFile("pump.key.pem", mark.encode(), SECRET), *planned, PlannedFile("ca.pem", mark.encode())))


def seen(directory: Path) -> set[str]:
    """Return what a reader of all the names finds."""
    names = ("pump.key.pem", "pump.cert.pem", "pump.fullchain.pem", "ca.pem")
    return {(directory / name).read_text() for name in names}


def put(place: Place, planned: FileSet) -> None:
    """Replace the files as the commands do."""
    with locked(place):
        replace(place, planned)


def plain(directory: Path) -> None:
    """Write the files that another command would have made."""
    for file in files("plain", "chain"):
        (directory / file.path).write_bytes(file.content)
        (directory / file.path).chmod(file.mode)


@pytest.mark.parametrize("start", ["nothing", "plain", "linked"])
def test_files_are_replaced(tmp_path: Path, start: str) -> None:
    """Keys stay 0600, what is not there any more has no name any more, and no old keys pile up."""
    place = Place(tmp_path, "pump")
    if start == "plain":
        plain(tmp_path)
    if start == "linked":
        for number in range(4):
            put(place, files(f"before {number}", "chain"))
    put(place, files("now"))
    assert seen(tmp_path) == {"now"}
    assert (tmp_path / "pump.key.pem").stat().st_mode & 0o777 == SECRET
    assert not (tmp_path / "pump.chain.pem").is_symlink()
    assert len(list(place.base.glob("[0-9]*"))) <= 2
    assert only_stem(tmp_path) == "pump"


@pytest.mark.slow
@pytest.mark.parametrize("start", ["plain", "linked"])
def test_killed_at_any_step_old_and_new_do_not_mix(tmp_path: Path, start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything that changes a directory, kill -9: all names say the same, and the next run goes on."""
    monkeypatch.setattr(os, "fsync", lambda _: None)  # nobody pulls the plug here
    for step in count(1):
        directory = tmp_path / str(step)
        directory.mkdir()
        place = Place(directory, "pump")
        plain(directory)
        if start == "linked":
            put(place, files("plain", "chain"))
        ended = _killed(place, step)
        assert seen(directory) in ({"plain"}, {"new"}), step
        with locked(place):
            assert seen(directory) in ({"plain"}, {"new"})
            assert not list(place.base.glob("*.new"))
        put(place, files("newer"))
        assert seen(directory) == {"newer"}
        if ended:
            break
    assert step > 10


def _killed(place: Place, step: int) -> bool:
    """Replace the files in a child that dies before its change number ``step``; say whether it came to its end."""
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # the child does not return
        child = os.fork()
    if child == 0:
        steps = count(1)

        def hook(event: str, _arguments: tuple[object, ...]) -> None:
            if event in CHANGES and next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            put(place, files("new"))
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def test_what_fails_leaves_the_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk in the middle of the last file, and nothing half-written stays."""
    place = Place(tmp_path, "pump")
    put(place, files("before"))
    real, calls = os.fsync, count(1)

    def full(descriptor: int) -> None:
        if next(calls) == 3:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match="no space left"):
        put(place, files("after"))
    monkeypatch.undo()
    assert seen(tmp_path) == {"before"}
    assert sorted(path.name for path in place.base.iterdir()) == ["1", "current", "lock"]


def test_two_credentials_share_a_directory_and_a_root(tmp_path: Path) -> None:
    """The one does not take the other's files away."""
    put(Place(tmp_path, "pump"), files("one"))
    other = [PlannedFile(file.path.replace("pump", "tank"), b"two", file.mode) for file in files("two")]
    put(Place(tmp_path, "tank"), FileSet(tuple(other)))
    assert (tmp_path / "pump.key.pem").read_text() == "one"
    assert (tmp_path / "ca.pem").read_text() == "two"
    with locked(Place(tmp_path, "pump")):
        assert (tmp_path / "ca.pem").read_text() == "two"
    with pytest.raises(FileError) as caught:
        only_stem(tmp_path)
    assert caught.value.code == "place.several"
