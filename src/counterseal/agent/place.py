"""The files of a credential on this machine, which all change at one moment.

::

    DIR/NAME.key.pem -> .NAME/current/NAME.key.pem      so with every file, ca.pem too: the names never change
    DIR/.NAME/current -> 2                              the one link that is switched, by rename
    DIR/.NAME/1/, DIR/.NAME/2/                          the files before and now; written once, never changed
    DIR/.NAME/lock                                      held by whoever renews

A reader sees the old key with the old certificate or the new key with the new one, also after a crash or a power cut at
any step; ``mend`` puts right what a crash left over. Plain files of these names, made by other commands, are taken over
first: as they are, and then linked.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.bundles.pem import TRUST_ANCHOR_FILE
from counterseal.errors import FileError
from counterseal.files import make_directory, not_written, read_file, sync_directory, write_file, write_fileset
from counterseal.fileset import PUBLIC, SECRET, FileSet, PlannedFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIXES = (".key.pem", ".cert.pem", ".chain.pem", ".fullchain.pem", ".p12")
ROOM = 64 * 1024
"""Octets: a key, a PKCS#12 and chains of any usual length, each in a block of its own."""
_SECRET_SUFFIXES = (".key.pem", ".p12")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Place:
    """A directory and the file stem of one credential in it (``bundles.pem.file_stem``)."""

    directory: Path
    stem: str

    @property
    def base(self) -> Path:
        """Where the files really are."""
        return self.directory / f".{self.stem}"

    @property
    def current(self) -> Path:
        """The link that is switched."""
        return self.base / "current"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all files that there may be."""
        return (*(f"{self.stem}{suffix}" for suffix in SUFFIXES), TRUST_ANCHOR_FILE)

    def path(self, name: str) -> Path:
        """Return where to read the file of this name now."""
        return (self.current if self.current.is_dir() else self.directory) / name

    def is_taken(self) -> bool:
        """Whether there is a credential of this name already."""
        return self.current.is_dir() or any((self.directory / name).exists() for name in self.names[:-1])


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Hold the credential as long as the block runs, and mend it first; another holder is waited for.

    The kernel takes the lock back from a process that dies. Raises FileError.
    """
    make_directory(place.base)
    path = place.base / "lock"
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, SECRET)
    except OSError as error:
        raise not_written(path, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mend(place)
        yield
    finally:
        os.close(lock)


def mend(place: Place) -> None:
    """Finish or clear away what a crash left: half-written directories, and names that do not lead there yet."""
    if not place.base.is_dir():
        return
    with _writing(place.base):
        for path in place.base.glob("*.new"):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        if place.current.is_dir():
            _link(place)


def try_room(place: Place) -> None:
    """Make sure that there is room for new files before anything is issued for them; raises FileError."""
    path = place.base / "room.new"
    write_file(path, bytes(ROOM), mode=SECRET)
    with _writing(path):
        path.unlink()


def replace(place: Place, files: FileSet) -> tuple[Path, ...]:
    """Put these files in the place of those before, at one moment; return their paths. The lock must be held.

    Raises FileError; then what was there is as it was.
    """
    if not place.current.is_dir() and place.is_taken():
        _switch(place, _as_they_are(place))
    _switch(place, files)
    _forget(place)
    return tuple(place.directory / file.path for file in files)


def _as_they_are(place: Place) -> FileSet:
    """Return the plain files of these names, to be kept as the generation before."""
    found = [name for name in place.names if (place.directory / name).is_file()]
    return FileSet(
        tuple(
            PlannedFile(name, read_file(place.directory / name), SECRET if name.endswith(_SECRET_SUFFIXES) else PUBLIC)
            for name in found
        )
    )


def _switch(place: Place, files: FileSet) -> None:
    number = max(_numbers(place), default=0) + 1
    fresh, link = place.base / f"{number}.new", place.base / "current.new"
    try:
        make_directory(fresh)
        write_fileset(fresh, files)
        with _writing(place.base):
            fresh.rename(place.base / str(number))
            sync_directory(place.base)
            link.symlink_to(str(number))
            link.replace(place.current)
            sync_directory(place.base)
            _link(place, anchor_too=True)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        with suppress(OSError):
            link.unlink()


def _link(place: Place, *, anchor_too: bool = False) -> None:
    """Let every name lead to the current file; the anchor's, which others share, where it leads nowhere."""
    for name in place.names:
        path, target = place.directory / name, f"{place.base.name}/current/{name}"
        here = (place.current / name).is_file()
        linked = path.is_symlink() and os.readlink(path) == target  # noqa: PTH115 - the text of the link, as written
        if linked and not here:
            path.unlink()
        elif here and not linked and (anchor_too or name != TRUST_ANCHOR_FILE or not path.exists()):
            fresh = place.base / "link.new"
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(target)
            fresh.rename(path)
    sync_directory(place.directory)


def _forget(place: Place) -> None:
    """Remove what is older than the files before; those stay for who has just opened one of them."""
    for number in sorted(_numbers(place))[:-2]:
        shutil.rmtree(place.base / str(number), ignore_errors=True)


def _numbers(place: Place) -> tuple[int, ...]:
    return tuple(int(path.name) for path in place.base.iterdir() if _NUMBER.fullmatch(path.name))


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise not_written(path, error) from error


def only_stem(directory: Path) -> str:
    """Return the stem of the one credential in ``directory``; raises FileError ``place.none``, ``place.several``."""
    stems = sorted(path.name.removesuffix(".cert.pem") for path in directory.glob("*.cert.pem"))
    stems = [stem for stem in stems if (directory / f"{stem}.key.pem").exists()]
    if not stems:
        raise FileError(
            "place.none", f"no certificate with its key in {directory}", hint="name the directory: --out DIR"
        )
    if len(stems) > 1:
        raise FileError(
            "place.several", f"several certificates in {directory}: {', '.join(stems)}", hint="name one of them"
        )
    return stems[0]
