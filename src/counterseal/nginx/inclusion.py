"""Whether the user's own nginx reads us, and the one file of ours in its tree that makes it do so.

The file is made only when that was asked for, and a file that is already there is never touched. What nginx reads is
asked of nginx itself (``nginx -T``), not guessed from its files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from posixpath import normpath
from typing import TYPE_CHECKING, NoReturn

from counterseal.errors import NginxError
from counterseal.files import read_file, write_file
from counterseal.fileset import PlannedFile
from counterseal.nginx.binary import check_configuration
from counterseal.nginx.target import HTTP_FILE, STREAM_FILE, include_line, where_to_include

if TYPE_CHECKING:
    from counterseal.nginx.binary import ConfigTest
    from counterseal.nginx.target import Target

_INCLUDE = re.compile(r"""^[^#\n]*?\binclude\s+(?:"([^"]+)"|'([^']+)'|([^\s;]+))\s*;""", re.MULTILINE)
_SERVER_NAME = re.compile(r"^\s*server_name\s+([^;]+);", re.MULTILINE)
_READ = re.compile(r"^# configuration file (.+):$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Inclusion:
    """How the user's nginx reads us: the include file still to be made, and the conflicts that were there before us."""

    to_install: Path | None = None
    known_conflicts: frozenset[str] = frozenset()

    def tolerated(self, generation: Path) -> frozenset[str]:
        """Return the conflicts that were there before us and are none about a name in the files of ``generation``."""
        if not self.known_conflicts:
            return frozenset()
        texts = (read_file(path).decode("utf-8", "replace") for path in generation.rglob("*.conf"))
        ours = {f'"{name}"' for text in texts for names in _SERVER_NAME.findall(text) for name in names.split()}
        return frozenset(text for text in self.known_conflicts if not any(name in text for name in ours))


def plan_inclusion(target: Target, base: Path, *, install: bool, time_limit: float) -> Inclusion:
    """Look at the user's configuration as it is, before anything is changed.

    Raises NginxError ``nginx.test_failed`` when nginx refuses it already, ``nginx.not_included`` with the line to add
    when it does not read us and we were not asked to change that, ``nginx.include_taken`` when our file is not ours.
    """
    test = check_configuration(
        target.binary, conf=target.conf, prefix=target.prefix, error_log=None, time_limit=time_limit, dump=True
    )
    waiting = [name for name in target.included if test.status != 0 and _path(base, name) in (test.quote or "")]
    if test.status != 0 and not waiting:
        raise NginxError(
            "nginx.test_failed",
            f"nginx refuses the configuration as it is, before anything of ours was added: {target.conf}",
            quote=test.quote,
            hint="mend the line that nginx names, then run this again",
        )
    conflicts = frozenset(line.text for line in test.conflicts)
    missing = [name for name in target.included if name not in waiting and not _is_included(test, base, name)]
    if not missing:
        return Inclusion(known_conflicts=conflicts)
    if missing[0] != HTTP_FILE or target.include_file is None or not install:
        _refuse(target, base, missing[0])
    if STREAM_FILE in missing:
        _refuse(target, base, STREAM_FILE)
    if not includes(test, target.include_file):
        raise NginxError(
            "nginx.not_included",
            f"no include of {target.conf} names the include file: {target.include_file}",
            hint=where_to_include(base, HTTP_FILE),
        )
    if target.include_file.exists() and read_file(target.include_file) != _content(base):
        raise NginxError(
            "nginx.include_taken", f"this file is not ours: {target.include_file}", hint="move it away, or name another"
        )
    return Inclusion(
        to_install=None if target.include_file.exists() else target.include_file, known_conflicts=conflicts
    )


def _refuse(target: Target, base: Path, name: str) -> NoReturn:
    hint = where_to_include(base, name)
    if name == HTTP_FILE and target.include_file is not None:
        hint = f"add this line to its http block, or pass --install-include: {include_line(base)}"
    raise NginxError("nginx.not_included", f"nginx does not read our sites: {target.conf}", hint=hint)


def _path(base: Path, name: str) -> str:
    return str(base / "current" / name)


def _is_included(test: ConfigTest, base: Path, name: str) -> bool:
    path = Path(_path(base, name))
    return includes(test, path) or was_read(test, path)


def install_include(path: Path, base: Path) -> None:
    """Make our one file in the user's tree; raises FileError, also when it is already there."""
    file = include_file(path, base)
    write_file(path, file.content, mode=file.mode, overwrite=False)


def include_file(path: Path, base: Path) -> PlannedFile:
    """Return our one file in the user's tree."""
    return PlannedFile(str(path), _content(base))


def remove_include(path: Path) -> None:
    """Take it away again, with what a killed process may have left beside it; raises OSError."""
    for found in (path, *path.parent.glob(f".{path.name}.*.tmp")):
        found.unlink(missing_ok=True)


def includes(test: ConfigTest, path: Path) -> bool:
    """Whether some ``include`` of the configuration names ``path``, outright or by a pattern."""
    patterns = (Path(normpath(test.conf.parent / "".join(found))) for found in _INCLUDE.findall(test.dump))
    return any(PurePath(path).match(str(pattern)) or _is_same(pattern, path) for pattern in patterns)


def _is_same(pattern: Path, path: Path) -> bool:
    """Whether both are of one directory, which may go by several names."""
    return PurePath(path.name).match(pattern.name) and pattern.parent.resolve() == path.parent.resolve()


def was_read(test: ConfigTest, path: Path) -> bool:
    """Whether nginx opened ``path``, under whatever name, while it tested the configuration."""
    return any(Path(found).resolve() == path.resolve() for found in _READ.findall(test.dump))


def require_read(test: ConfigTest, path: Path) -> None:
    """Raise NginxError ``nginx.not_included`` unless nginx opened ``path`` while it tested the configuration."""
    if not was_read(test, path):
        raise NginxError(
            "nginx.not_included",
            f"nginx does not read {path}",
            hint=where_to_include(path.parent.parent, path.name),
        )


def _content(base: Path) -> bytes:
    return (
        "# Made by counterseal: the sites that it deploys. Remove this file to take them out of nginx.\n"
        f"{include_line(base)}\n"
    ).encode()
