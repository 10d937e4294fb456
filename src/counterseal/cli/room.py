"""Whether the files that a ``--dry-run`` names could be written: it refuses what writing them would be refused.

By the rights of whoever runs it, by whether the disk is mounted read-only, and by the room that it has. Nothing is
written to find out, so what only a write meets stays unknown: a quota, a disk that fills up meanwhile.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.errors import FileError
from counterseal.files import not_used, not_written, reason_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from counterseal.files import Preview

_BLOCK = 4096
"""Octets in which a disk hands out its room, on nearly every one."""


def require_room(files: Iterable[Preview]) -> None:
    """Raise what writing all of these and making their directories would: FileError ``file.mkdir``, ``file.write``."""
    needed = Counter[int]()
    for file in files:
        if file.change == "same":
            continue
        path = Path(file.path)
        there = _make_place(path)
        disk, device = os.statvfs(there), there.stat().st_dev
        needed[device] += -(-(file.size or 1) // _BLOCK) * _BLOCK
        if needed[device] > disk.f_frsize * (disk.f_bavail if os.geteuid() else disk.f_bfree):
            raise not_written(path, _error(errno.ENOSPC, path))


def require_places(paths: Iterable[Path]) -> None:
    """Raise FileError ``file.write`` where one of these cannot be written; no directory is made for them."""
    for path in paths:
        try:
            try_place(path)
        except OSError as error:
            raise not_written(path, error) from error


def require_removable(paths: Iterable[Path]) -> None:
    """Raise FileError ``file.use`` where one of these cannot be removed."""
    for path in paths:
        try:
            _try_directory(path.parent, path)
        except OSError as error:
            raise not_used(error) from error


def try_place(path: Path) -> None:
    """Raise the OSError that making a file in its directory would."""
    if not path.parent.is_dir():
        raise _error(errno.ENOTDIR if any(one.is_file() for one in path.parents) else errno.ENOENT, path)
    _try_directory(path.parent, path)


def _make_place(path: Path) -> Path:
    """Return the directory in which the file, or the first of its missing directories, would be made."""
    folder = path.parent
    there = next(one for one in path.absolute().parents if os.path.lexists(one))
    try:
        if not there.is_dir():
            raise _error(errno.EEXIST, folder)
        _try_directory(there, path)
    except OSError as error:
        failed = not_written(path, error)
        if folder.is_dir():
            raise failed from error
        path = folder
        message = f"cannot create directory {path}: {reason_of(error)}"
        raise FileError("file.mkdir", message, hint=failed.hint) from error
    return there


def _try_directory(directory: Path, path: Path) -> None:
    """Raise the OSError that changing what is in a directory would, as for ``path``."""
    if not os.access(directory, os.W_OK | os.X_OK):
        raise _error(errno.EROFS if os.statvfs(directory).f_flag & os.ST_RDONLY else errno.EACCES, path)


def _error(number: int, path: Path) -> OSError:
    return OSError(number, os.strerror(number), str(path))
