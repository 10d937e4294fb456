"""Files one after the other in a tar archive (POSIX.1-2001), and back out of it into a directory.

Decides how a batch's files lie in its archive: in order, with their modes, so that a part written once is found again.
"""

from __future__ import annotations

import io
import os
import tarfile
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from counterseal.errors import FileError
from counterseal.files import reason_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

END = bytes(2 * tarfile.BLOCKSIZE)
"""What closes an archive."""

_MAX_NAME, _MAX_SIZE, _TYPE = 100, 0o77777777777, 156
_AFTER = (b"0" + bytes(100) + b"ustar\x0000").ljust(356, b"\0")  # type, link, magic and version; the rest is empty
_SUM_AFTER = sum(_AFTER) + 8 * ord(" ")  # the checksum counts itself as blanks


def encode(files: Iterable[tuple[str, bytes, int]], *, folder: str, at: int) -> bytes:
    """Return files, each its name, content and mode, as members under ``folder``; ``at`` is their time since 1970."""
    parts: list[bytes] = []
    for name, content, mode in files:
        size = len(content)
        parts += (header(f"{folder}/{name}", size, mode, at), content, bytes(-size % tarfile.BLOCKSIZE))
    return b"".join(parts)


def header(name: str, size: int, mode: int, at: int) -> bytes:
    """Return the header of a member: octet for octet the library's, in a tenth of its time."""
    if not name.isascii() or len(name) > _MAX_NAME or size > _MAX_SIZE:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size, mode, at
        return member.tobuf(tarfile.PAX_FORMAT)
    fields, total = _fields(mode, size, at)
    octets = name.encode()
    return b"%b%b%06o\0 %b" % (octets.ljust(_MAX_NAME, b"\0"), fields, sum(octets) + total, _AFTER)


@lru_cache(maxsize=256)
def _fields(mode: int, size: int, at: int) -> tuple[bytes, int]:
    """Return what follows the name, which few kinds of files share, and the checksum of all but the name."""
    fields = b"%07o\0%07o\0%07o\0%011o\0%011o\0" % (mode, 0, 0, size, at)
    return fields, sum(fields) + _SUM_AFTER


def unpack(archive: Path, part: tuple[int, int], directory: Path) -> None:
    """Write the members between two offsets of ``archive`` into ``directory``, but for those that are there already.

    Not flushed to disk: the archive stays until everything is. Raises FileError.
    """
    start, end = part
    try:
        with archive.open("rb") as stream:
            stream.seek(start)
            content = stream.read(end - start)
        with _opened(directory) as place:
            for name, mode, octets in _members(content):
                _write(place, name.rpartition("/")[2], octets, mode)
    except OSError as error:
        raise FileError("file.write", f"cannot write into {directory}: {reason_of(error)}") from error
    except (ValueError, tarfile.TarError) as error:
        raise damaged(archive) from error


def damaged(path: Path) -> FileError:
    """Return what to raise when sheet, archive or journal is not as the batch left it."""
    return FileError(
        "batch.damaged",
        f"a file of the unfinished batch is not what it was: {path}",
        hint="bring it back, or move journal, sheet and archive of this batch away and begin again; "
        "what was issued is in counterseal list",
    )


def _members(part: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Yield name, mode and content of what ``encode`` wrote; the headers that the library wrote it reads itself."""
    at = 0
    while at < len(part):
        header = part[at : at + tarfile.BLOCKSIZE]
        if header[_TYPE : _TYPE + 1] == tarfile.REGTYPE:
            name, mode, size = (
                header[:_MAX_NAME].rstrip(b"\0").decode(),
                int(header[100:107], 8),
                int(header[124:135], 8),
            )
            start = at + tarfile.BLOCKSIZE
        else:
            name, mode, size, start = _extended(part, at)
        yield name, mode, part[start : start + size]
        at = start + size + -size % tarfile.BLOCKSIZE


def _extended(part: bytes, at: int) -> tuple[str, int, int, int]:
    """Return name, mode, size and where the content starts of a member with extended headers (POSIX.1-2001)."""
    with tarfile.open(fileobj=io.BytesIO(part[at:]), mode="r:") as tape:
        member = tape.next()
    assert member is not None  # noqa: S101 - for the type checker; encode wrote one here
    return member.name, member.mode, member.size, at + member.offset_data


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    """Give a descriptor of the directory, in which files get the very modes that are asked for."""
    mask = os.umask(0)
    place = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield place
    finally:
        os.close(place)
        os.umask(mask)


def _write(place: int, name: str, content: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, mode, dir_fd=place)
    except FileExistsError:
        if _content(place, name, len(content)) == content:
            return
        os.unlink(name, dir_fd=place)
        descriptor = os.open(name, flags, mode, dir_fd=place)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)


def _content(place: int, name: str, length: int) -> bytes:
    """Return as much of a file as tells whether it is these ``length`` octets."""
    descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=place)
    try:
        return os.pread(descriptor, length + 1, 0)
    finally:
        os.close(descriptor)
