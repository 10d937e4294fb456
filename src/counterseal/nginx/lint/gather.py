"""Opening the files that a configuration names: certificates, keys, CRLs. The only part of the linter that does."""

from __future__ import annotations

from stat import S_IMODE, S_ISREG
from typing import TYPE_CHECKING

from counterseal.nginx.lint.files import NAMING, NamedFile, read_pem
from counterseal.nginx.tree import walk

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cryptography import x509

    from counterseal.fileset import PlannedFile
    from counterseal.nginx.tree import Tree

_SUFFIXES = frozenset({".pem", ".crt", ".cer"})
MOST_BESIDE, LARGEST_BESIDE = 64, 64 * 1024
LARGEST = 256 * 1024 * 1024
"""A list of a million revoked certificates has 66 MB; what is larger is no list."""


def gather_files(
    tree: Tree, directory: Path, *, overlay: Mapping[str, PlannedFile] | None = None
) -> dict[str, NamedFile]:
    """Return what the files that the tree names hold, by name as written; relative names start from ``directory``.

    ``overlay`` holds files that are yet to be written, by absolute path. A name with a variable in it, ``data:``,
    ``engine:`` and ``store:`` are left out: they are no files yet.
    """
    directives = (placed.directive for placed in walk(tree) if placed.directive.name in NAMING)
    names = dict.fromkeys(one.arguments[0] for one in directives if one.arguments)
    static = (
        name for name in names if name and "$" not in name and not name.startswith(("data:", "engine:", "store:"))
    )
    given = overlay or {}
    return {name: _planned(name, given[name]) if name in given else _read(name, directory / name) for name in static}


def gather_neighbours(files: Mapping[str, NamedFile], directory: Path) -> tuple[x509.Certificate, ...]:
    """Return the certificates in the other files beside those that were read: what was left out often lies there.

    A directory with many files is a store of the system, and none of a site: it is left alone, as are large files.
    """
    found: dict[x509.Certificate, None] = {}
    for folder in dict.fromkeys((directory / name).parent for name, file in files.items() if file.certificates):
        try:
            beside = sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES and path.is_file())
            small = [path for path in beside if path.stat().st_size <= LARGEST_BESIDE]
            contents = [path.read_bytes() for path in small] if len(beside) <= MOST_BESIDE else []
        except OSError:
            continue
        found |= dict.fromkeys(one for content in contents for one in read_pem("", content).certificates)
    return tuple(found)


def _planned(name: str, file: PlannedFile) -> NamedFile:
    return read_pem(name, file.content, mode=file.mode)


def _read(name: str, path: Path) -> NamedFile:
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            return NamedFile(name, fault="not a regular file")
        if status.st_size > LARGEST:
            return NamedFile(name, fault="too large to be looked at", mode=S_IMODE(status.st_mode))
        return read_pem(name, path.read_bytes(), mode=S_IMODE(status.st_mode))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return NamedFile(name, fault=reason.lower())
