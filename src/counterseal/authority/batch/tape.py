"""Files one after the other in a tar archive (POSIX.1-2001), and back out of it into a directory.

Decides how a batch's files lie in its archive: in order, with their modes, so that a part written once is found again.
"""

from __future__ import annotations

import io
import os
import tarfile
from typing import TYPE_CHECKING

from counterseal.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from counterseal.fileset import PlannedFile

END = bytes(2 * tarfile.BLOCKSIZE)
"""What closes an archive."""


def encode(files: Iterable[PlannedFile], *, folder: str, at: int) -> bytes:
    """Return the files as members under ``folder``; ``at`` is their time in seconds since the epoch."""
    parts = []
    for file in files:
        member = tarfile.TarInfo(f"{folder}/{file.path}")
        member.size, member.mode, member.mtime = len(file.content), file.mode, at
        padding = bytes(-member.size % tarfile.BLOCKSIZE)
        parts += [member.tobuf(tarfile.PAX_FORMAT), file.content, padding]
    return b"".join(parts)


def unpack(archive: Path, part: tuple[int, int], directory: Path) -> None:
    """Write the members between two offsets of ``archive`` into ``directory``, but for those that are there already.

    Not flushed to disk: the archive stays until everything is. Raises FileError.
    """
    start, end = part
    try:
        with archive.open("rb") as stream:
            stream.seek(start)
            members = io.BytesIO(stream.read(end - start))
        with tarfile.open(fileobj=members, mode="r:") as tape:
            for member in tape:
                content = tape.extractfile(member)
                _write(directory / member.name.rpartition("/")[2], content.read() if content else b"", member.mode)
    except OSError as error:
        raise FileError("file.write", f"cannot write into {directory}: {error.strerror or error}") from error


def _write(path: Path, content: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, mode)
    except FileExistsError:
        if path.read_bytes() == content:
            return
        path.unlink()  # half written before, or to be replaced
        descriptor = os.open(path, flags, mode)
    with open(descriptor, "wb") as stream:  # noqa: PTH123 - a descriptor, not a path
        os.fchmod(descriptor, mode)  # the umask may have narrowed it
        stream.write(content)
