"""Generations: all that nginx reads from us, in one numbered directory that is never changed after it is written.

::

    <base>/generations/0001/…, manifest.json      written under a hidden name, then renamed
    <base>/current -> generations/0001            the one link that nginx follows, switched by rename
    <base>/journal.json                           the undo of a deploy that is under way (``journal``)
    <base>/deploy.lock                            held by whoever deploys (``lock``)

Only the manifest's ``proven`` changes later, by a rename as well. What nginx makes of a generation is not known here.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
from dataclasses import dataclass, replace
from datetime import datetime  # noqa: TC003 - msgspec resolves the manifest's types at run time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from counterseal.errors import DeployError, FileError, NotFoundError
from counterseal.files import make_directory, not_read, read_file, reason_of, sync_directory, write_file, write_fileset
from counterseal.fileset import PUBLIC, PlannedFile

if TYPE_CHECKING:
    from counterseal.fileset import FileSet

MANIFEST = "manifest.json"
DIRECTORY_MODE = 0o711
"""A worker that runs as another user may open what it knows the name of, and list nothing; keys are 0600 anyway."""
_NUMBERED = re.compile("[0-9]{4,}")


@dataclass(frozen=True, slots=True)
class Directories:
    """The paths below one ``base``."""

    base: Path

    @property
    def generations(self) -> Path:
        """The directory of all generations."""
        return self.base / "generations"

    @property
    def current(self) -> Path:
        """The link that nginx follows."""
        return self.base / "current"

    @property
    def run(self) -> Path:
        """What a running nginx needs beside the generations: a private one's pid file, log and temporary files."""
        return self.base / "run"

    @property
    def journal(self) -> Path:
        """The undo of a deploy that is under way."""
        return self.base / "journal.json"

    @property
    def lock(self) -> Path:
        """The file that is locked during a deploy."""
        return self.base / "deploy.lock"

    def directory(self, number: int) -> Path:
        """Return the directory of one generation."""
        return self.generations / f"{number:04d}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation is: its number, when and why it was made, after which one, and the SHA-256 of each file."""

    number: int
    created_at: datetime
    reason: str
    previous: int | None
    files: dict[str, str]
    proven: bool = False
    format: int = 1


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation as it was found on disk; ``manifest`` is None when it cannot be read."""

    number: int
    directory: Path
    manifest: Manifest | None

    @property
    def proven(self) -> bool:
        """Whether a proof passed on it."""
        return self.manifest is not None and self.manifest.proven


def list_generations(base: Path) -> tuple[Generation, ...]:
    """Return the generations on disk, oldest first; raises FileError when we may not look.

    What somebody else put there is none, not even a copy of one under another number.
    """
    directory = Directories(base).generations
    try:
        names = [path.name for path in directory.iterdir()]
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise not_read(directory, error) from error
    numbers = {int(name) for name in names if _NUMBERED.fullmatch(name)}
    there = (number for number in sorted(numbers) if Directories(base).directory(number).is_dir())
    found = (read_generation(base, number) for number in there)
    return tuple(one for one in found if one.manifest is None or one.manifest.number == one.number)


def read_generation(base: Path, number: int) -> Generation:
    """Return one generation; raises NotFoundError ``generation.missing``."""
    directory = Directories(base).directory(number)
    if not directory.is_dir():
        raise NotFoundError(
            "generation.missing", f"no such generation: {number}", hint="list them: counterseal nginx generations"
        )
    try:
        manifest = msgspec.json.decode(read_file(directory / MANIFEST), type=Manifest)
    except (FileError, msgspec.DecodeError):
        manifest = None
    return Generation(number, directory, manifest)


def read_current(base: Path) -> int | None:
    """Return the number that the link points to, or None when there is no link.

    Raises DeployError ``deploy.foreign_link`` when ``current`` is something that we did not make, FileError.
    """
    link = Directories(base).current
    try:
        aim = link.readlink()
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno != errno.EINVAL:  # it is a link, or we cannot tell
            raise not_read(link, error) from error
        raise DeployError("deploy.foreign_link", f"not a link of ours: {link}", hint="move it away") from error
    if aim.parent != Path("generations") or not _NUMBERED.fullmatch(aim.name):
        raise DeployError("deploy.foreign_link", f"not a link of ours: {link} -> {aim}", hint="move it away")
    return int(aim.name)


def next_number(base: Path) -> int:
    """Return the number of the generation to come."""
    newest = max((generation.number for generation in list_generations(base)), default=0)
    first = max(newest, read_current(base) or 0) + 1
    return next(number for number in count(first) if not os.path.lexists(Directories(base).directory(number)))


def write_generation(
    base: Path,
    fileset: FileSet,
    *,
    number: int,
    created_at: datetime,
    reason: str,
) -> Generation:
    """Write all files and the manifest under a hidden name, flush them, and give the directory its number.

    Raises FileError; on any failure, also a full disk, nothing is left behind.
    """
    directories = Directories(base)
    make_passable(directories.generations)
    manifest = _manifest_of(base, fileset, number=number, created_at=created_at, reason=reason)
    hidden = directories.generations / f".{number:04d}.{secrets.token_hex(6)}.tmp"
    try:
        make_directory(hidden, mode=0o700)
        write_fileset(hidden, fileset, overwrite=False)
        write_file(hidden / MANIFEST, _encode(manifest), mode=PUBLIC, overwrite=False)
        for folder in (path for path in hidden.rglob("*") if path.is_dir()):
            folder.chmod(0o755)  # the caller's umask may have kept the workers out
        hidden.chmod(DIRECTORY_MODE)
        hidden.rename(directories.directory(number))
        sync_directory(directories.generations)
    except OSError as error:
        raise FileError("file.write", f"cannot write generation {number}: {reason_of(error)}") from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
    return Generation(number, directories.directory(number), manifest)


def plan_manifest(base: Path, fileset: FileSet, *, number: int, created_at: datetime, reason: str) -> PlannedFile:
    """Return the manifest that ``write_generation`` would write, as it is once the generation is proved."""
    manifest = _manifest_of(base, fileset, number=number, created_at=created_at, reason=reason)
    return PlannedFile(MANIFEST, _encode(replace(manifest, proven=True)), PUBLIC)


def _manifest_of(base: Path, fileset: FileSet, *, number: int, created_at: datetime, reason: str) -> Manifest:
    return Manifest(
        number=number,
        created_at=created_at,
        reason=reason,
        previous=read_current(base),
        files={file.path: hashlib.sha256(file.content).hexdigest() for file in fileset},
    )


def make_passable(directory: Path) -> None:
    """Create a directory that workers of another user can pass through, whatever the umask; raises FileError.

    One that is there already keeps its mode.
    """
    if not directory.is_dir():
        make_directory(directory, mode=DIRECTORY_MODE)
        directory.chmod(DIRECTORY_MODE)


def prepare_link(base: Path, number: int | None, *, name: str) -> Path | None:
    """Make a hidden link to a generation beside ``current``, to be renamed onto it by ``switch_link``.

    The way back is prepared before the way forward is taken: a rename needs no room on a full disk. None for ``number``
    None. Raises FileError.
    """
    if number is None:
        return None
    directories = Directories(base)
    hidden, aim = base / f".current.{name}.tmp", directories.directory(number).relative_to(base)
    try:
        if hidden.is_symlink() and hidden.readlink() == aim:
            return hidden
        hidden.unlink(missing_ok=True)
        hidden.symlink_to(aim)
    except OSError as error:
        raise FileError("file.link", f"cannot link generation {number}: {reason_of(error)}") from error
    return hidden


def switch_link(base: Path, prepared: Path | None) -> None:
    """Put a prepared link in the place of ``current`` in one step, or remove ``current`` for None; raises FileError."""
    current = Directories(base).current
    try:
        if prepared is None:
            current.unlink(missing_ok=True)
        else:
            prepared.replace(current)
        sync_directory(base)
    except OSError as error:
        raise FileError("file.link", f"cannot switch {current}: {reason_of(error)}") from error


def mark_proven(generation: Generation) -> None:
    """Write into the manifest that a proof passed; raises FileError."""
    if generation.manifest and not generation.manifest.proven:
        content = _encode(replace(generation.manifest, proven=True))
        write_file(generation.directory / MANIFEST, content, mode=0o644)


def find_changes(generation: Generation) -> tuple[str, ...]:
    """Return the paths whose bytes are not those that were written: changed, missing or added; empty when none is."""
    if generation.manifest is None:
        return (MANIFEST,)
    directory, planned = generation.directory, generation.manifest.files
    found = {str(path.relative_to(directory)) for path in directory.rglob("*") if not path.is_dir()} - {MANIFEST}
    changed = {
        path
        for path in found & set(planned)
        if hashlib.sha256(read_file(directory / path)).hexdigest() != planned[path]
    }
    return tuple(sorted(changed | (found ^ set(planned))))


def _encode(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
