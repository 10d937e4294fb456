"""What ``--dry-run`` must leave as it is: every file of a directory."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def snapshot(place: Path) -> dict[str, tuple[int, bytes]]:
    """Return mode and bytes of every file, directory and link below, but for what a running nginx writes itself."""
    found = {}
    for path in sorted(place.rglob("*")):
        name, mode = str(path.relative_to(place)), stat.S_IMODE(path.lstat().st_mode)
        if "nginx/run/" in name:
            continue
        if path.is_symlink():
            found[name] = (0, str(path.readlink()).encode())
        elif path.is_dir():
            found[name] = (mode, b"")
        else:
            found[name] = (mode, path.read_bytes())
    return found
