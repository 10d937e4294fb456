"""Whether a running nginx has its configuration as the files are now, or a reload would put something new in force.

A worker says nothing of that: one that died is begun again by the same master, with the configuration of before. So
whatever changed since the master began counts as new, also where somebody has reloaded it since. Times alone are looked
at: of each file, of each link that leads to it, and of each directory that a pattern lists or that lies on the way.
"""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.nginx.includes import GLOB
from counterseal.nginx.proctable import began_after

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from counterseal.nginx.process import NginxProcess


def has_taken(nginx: NginxProcess, includes: Iterable[str], *, ours: Path) -> bool:
    """Whether nginx has begun with its main configuration and these includes as they are; so where none runs.

    ``ours``: what lies below is not looked at.
    """
    master = nginx.master_pid()
    if master is None:
        return True
    conf, seen = nginx.target.conf, set[Path]()
    for pattern in (str(conf), *includes):
        if not Path(pattern).is_relative_to(ours):
            for path in _named(pattern):
                _follow(path, conf.parent, seen)
    try:
        newest = max(path.lstat().st_ctime for path in seen) if seen else 0.0
        # What /proc tells moves with the clock when that is set; when the pid file was written does not.
        return began_after(master, newest, noted=nginx.target.pid_file.stat().st_mtime)
    except OSError:
        return False


def _named(pattern: str) -> Iterator[Path]:
    """Yield what an include names, and the directories that are listed for it, also those that hold nothing."""
    parts = Path(pattern).parts
    for count, part in enumerate(parts):
        if GLOB & set(part):
            yield from map(Path, glob.glob(str(Path(*parts[:count]))))  # noqa: PTH207 - nginx's are glob patterns
    yield from map(Path, glob.glob(pattern))  # noqa: PTH207 - same


def _follow(path: Path, top: Path, seen: set[Path]) -> None:
    """Add the path, the directories between it and ``top``, each link on the way, and where that leads."""
    if path in seen:
        return
    seen.add(path)
    for part in (path, *path.parents):
        if part.is_symlink():
            seen.add(part)
            _follow(part.parent / part.readlink(), top, seen)
        elif part.is_relative_to(top):
            seen.add(part)
