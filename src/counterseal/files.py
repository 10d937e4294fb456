"""Writing files so that a crash, a full disk or a second process never leaves half of one.

A file is created with its final mode under a temporary name beside its target, flushed to disk, and renamed over the
target; so a reader sees the old bytes or the new ones, and a private key is never for a moment wider than its mode.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from itertools import takewhile
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from counterseal.errors import FileError, InputError, shell_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from counterseal.fileset import FileSet, PlannedFile

LARGEST = 512 * 1024 * 1024
"""Octets of the largest file that is read whole: a CRL of ten million entries has less."""
_LONGEST_DIFF = 256 * 1024
_AT_ONCE = 256 * 1024


def write_file(path: Path, content: bytes, *, mode: int, overwrite: bool = True) -> None:
    """Write ``content`` to ``path`` atomically with exactly ``mode``.

    ``overwrite=False`` refuses an existing target, also against a race. Raises FileError; on any failure nothing is
    left behind.
    """
    with opened_new(path, mode=mode, overwrite=overwrite) as stream:
        stream.write(content)


@contextmanager
def opened_new(path: Path, *, mode: int, overwrite: bool) -> Iterator[BinaryIO]:
    """Give a stream whose octets become ``path`` when the block ends, as ``write_file`` does; for what is too large.

    Raises what ``write_file`` does, also for an OSError that the block raises.
    """
    temporary = _beside(path)
    try:
        with _told(path), _created(temporary, mode=mode) as stream:
            yield stream
        _put(temporary, path, overwrite=overwrite)
        with _told(path.parent):
            sync_directory(path.parent)
    finally:
        _remove((temporary,))


def read_file(path: Path) -> bytes:
    """Return the bytes of ``path``; raises FileError with the reason, InputError ``file.too_large``."""
    try:
        with path.open("rb") as stream:
            return read_whole(stream, str(path))
    except OSError as error:
        raise not_read(path, error) from error


def read_whole(stream: BinaryIO, name: str) -> bytes:
    """Return all that comes; raises InputError ``file.too_large`` before something endless fills the memory."""
    pieces, length = [], 0
    while piece := stream.read(_AT_ONCE):
        length += len(piece)
        if length > LARGEST:
            raise InputError("file.too_large", f"file is larger than {LARGEST // 1024 // 1024} MiB: {name}")
        pieces.append(piece)
    return b"".join(pieces)


def read_first_line(path: Path) -> bytes:
    """Return the first line of a file, which is all that counts of one with a secret; raises FileError."""
    return next(iter(read_file(path).splitlines()), b"")


def read_secret(path: Path) -> bytes:
    """Return the first line of a file that opens a database or an account to whoever reads it.

    Its owner and its group may; raises FileError ``file.secret_mode`` where everybody may.
    """
    secret = read_first_line(path)
    if error := exposed(path):
        raise error
    return secret


def exposed(path: Path) -> FileError | None:
    """Return ``file.secret_mode`` if everybody may read this file, None if only its owner and its group may."""
    status = path.stat()
    if not (stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_IRWXO):
        return None
    return FileError(
        "file.secret_mode",
        f"others can read the secret: {path} has mode {stat.S_IMODE(status.st_mode):04o}",
        hint=shell_line("chmod", "600", path),
    )


def make_directory(path: Path, *, mode: int = 0o755) -> None:
    """Create ``path`` and its parents; each that is new gets ``mode``, or less where the umask says so."""
    try:
        missing = tuple(takewhile(lambda folder: not folder.is_dir(), (path, *path.parents)))
        for folder in reversed(missing):  # mkdir(parents=True) leaves the modes of the parents to the umask alone
            folder.mkdir(exist_ok=True, mode=mode)
    except OSError as error:
        raise FileError(
            "file.mkdir", f"cannot create directory {path}: {reason_of(error)}", hint=_hint(error)
        ) from error


def write_fileset(directory: Path, fileset: FileSet, *, overwrite: bool = True) -> tuple[Path, ...]:
    """Write every file of the set below ``directory``: first all beside their targets, then each over its own.

    So a disk that is full, or a directory that cannot be written, leaves every old file as it was. When a later one
    fails, as over a directory, those created are removed and those replaced put back; but for a disk without links.
    """
    targets = [directory / file.path for file in fileset]
    staged, kept = [_beside(path) for path in targets], [_beside(path) for path in targets]
    made: list[Path] = []
    try:
        for file, path, temporary in zip(fileset, targets, staged, strict=True):
            make_directory(path.parent)
            with _told(path), _created(temporary, mode=file.mode) as stream:
                stream.write(file.content)
        for path, temporary, old in zip(targets, staged, kept, strict=True):
            fresh = not os.path.lexists(path)
            with suppress(OSError):
                os.link(path, old, follow_symlinks=False)
            _put(temporary, path, overwrite=overwrite)
            if fresh:
                made.append(path)
        for folder in dict.fromkeys(path.parent for path in targets):
            with _told(folder):
                sync_directory(folder)
    except BaseException:
        _remove(made)
        for path, old in zip(targets, kept, strict=True):
            with suppress(OSError):
                old.replace(path)
        raise
    finally:
        _remove((*staged, *kept))
    return tuple(targets)


class Preview(NamedTuple):
    """What writing one file would do: its path, mode, size (None: not known before), ``change`` and a text diff.

    ``change`` is new, changed or same. ``varies``: a few octets more or less, as with a signature, a key, a store.
    """

    path: str
    mode: int
    size: int | None
    change: str
    diff: str | None
    varies: bool = False


def preview(directory: Path, fileset: FileSet) -> tuple[Preview, ...]:
    """Say what ``write_fileset`` would do, without writing. Secrets, PEM and binary files get no diff."""
    return tuple(_preview(directory / file.path, file) for file in fileset)


def _preview(path: Path, file: PlannedFile) -> Preview:
    try:
        old = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        old = None
    except OSError as error:
        raise not_read(path, error) from error
    change = "new" if old is None else "same" if old == file.content and not _is_wider(path, file) else "changed"
    diff = None if file.is_secret or change == "same" else _diff(old or b"", file.content, str(path))
    return Preview(str(path), file.mode, len(file.content), change, diff)


def _is_wider(path: Path, file: PlannedFile) -> bool:
    """Whether a secret can be read by others where it lies: it is written again, though its content is the same."""
    return file.is_secret and bool(stat.S_IMODE(path.stat().st_mode) & ~file.mode)


def _diff(old: bytes, new: bytes, name: str) -> str | None:
    """Return the difference of two texts that a person would read: no PEM, no list of thousands, no private key."""
    if max(len(old), len(new)) > _LONGEST_DIFF or new.startswith(b"-----BEGIN") or b"PRIVATE KEY-----" in old + new:
        return None
    try:
        before, after = old.decode().splitlines(keepends=True), new.decode().splitlines(keepends=True)
    except UnicodeDecodeError:
        return None
    import difflib  # noqa: PLC0415 - only a --dry-run shows differences

    return "".join(difflib.unified_diff(before, after, f"{name} (now)", f"{name} (planned)"))


def _beside(path: Path) -> Path:
    """Return a hidden name that nobody else has, in the same directory."""
    return path.with_name(f".{path.name[:200]}.{os.urandom(6).hex()}.tmp")


def _put(temporary: Path, path: Path, *, overwrite: bool) -> None:
    try:
        if overwrite:
            temporary.replace(path)
        else:
            _put_new(temporary, path)
    except FileExistsError as error:
        raise FileError(
            "file.exists", f"file exists already: {path}", hint="choose another name or pass --force"
        ) from error
    except OSError as error:
        raise not_written(path, error) from error


def _put_new(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except OSError as error:
        if not _knows_no_links(error):
            raise
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))  # the name is ours
        temporary.replace(path)


def _knows_no_links(error: OSError) -> bool:
    """Whether a file can have but one name where this happened: on a memory stick with FAT, on some file servers."""
    import errno  # noqa: PLC0415 - only needed when something failed

    return error.errno in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise not_written(path, error) from error


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()


def not_read(path: Path, error: OSError) -> FileError:
    """Return what to raise when ``path`` could not be read, with the system's reason."""
    return FileError("file.read", f"cannot read {path}: {reason_of(error)}")


def not_written(path: Path, error: OSError) -> FileError:
    """Return what to raise when ``path`` could not be written, with the system's reason and what to do."""
    return FileError("file.write", f"cannot write {path}: {reason_of(error)}", hint=_hint(error))


def not_used(error: OSError) -> FileError:
    """Return what to raise for an error of the system that names a path, whatever was to be done with it."""
    return FileError("file.use", f"cannot use {error.filename}: {reason_of(error)}", hint=_hint(error))


@contextmanager
def _created(path: Path, *, mode: int) -> Iterator[BinaryIO]:
    """Give a stream into a new file, which is on disk when the block ends."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with open(descriptor, "wb", closefd=True) as stream:  # noqa: PTH123 - a descriptor, not a path
        os.fchmod(descriptor, mode)  # the umask may have narrowed it
        yield stream
        stream.flush()
        os.fsync(descriptor)


def sync_directory(directory: Path) -> None:
    """Flush a directory, so that a rename or a link in it outlives a power cut; raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def reason_of(error: OSError) -> str:
    """Return the words of the system, in our case."""
    return (error.strerror or str(error)).lower()


def _hint(error: OSError) -> str | None:
    import errno  # noqa: PLC0415 - only needed when something failed

    return {
        errno.ENOSPC: "free some space on that disk and run the command again: nothing was changed",
        errno.EROFS: "the file system is mounted read-only",
        errno.EACCES: "run as the user who owns the directory, or choose another one",
    }.get(error.errno or 0)
