"""Linting the nginx configuration of this machine, or one handed in: which nginx, which files, which moment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.compose.installed import installed_nginx
from counterseal.compose.place import now
from counterseal.errors import FileError, InputError
from counterseal.files import preview, write_file
from counterseal.fileset import FileSet, PlannedFile
from counterseal.nginx.lint.build import build
from counterseal.nginx.lint.engine import LintResult, lint
from counterseal.nginx.lint.gather import gather_files, gather_neighbours
from counterseal.nginx.reading import read_configuration, read_dump, split_dump
from counterseal.nginx.version import named_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from counterseal.files import Preview
    from counterseal.nginx.lint.files import NamedFile
    from counterseal.nginx.reading import WholeConfiguration
    from counterseal.nginx.version import NginxVersion

_USUAL = Path("/etc/nginx/nginx.conf")


_WHAT = "name a main configuration, its directory, one file of it, or - for the output of nginx -T"


@dataclass(frozen=True, slots=True)
class Linting:
    """What was linted, as which nginx, and what was found."""

    name: str
    version: str
    is_fragment: bool
    result: LintResult
    texts: Mapping[str, str] = field(repr=False)


def lint_configuration(
    path: Path | None, *, text: str | None, version: str | None, directory: Path | None, with_files: bool
) -> Linting:
    """Lint the configuration at ``path``, by default the one that the installed nginx reads, or in ``text``.

    ``text`` is the output of ``nginx -T`` or one file. Files that it names are looked at on this machine, unless it is
    such an output: that may come from another one. Raises InputError and NginxError.
    """
    if text is not None and not text.strip():
        hint = "did the command before the | fail? nginx -T needs the rights of whoever starts nginx"
        raise InputError("nginx.empty", "no configuration on standard input", hint=hint)
    nginx = named_version(version) if version else installed_nginx()
    conf = _main_file(path, nginx)
    dump = split_dump(text) if text is not None else {}
    whole = read_dump(dump) if dump else _read(conf, text, directory)
    if not dump and not whole.texts[str(conf)].strip():
        raise InputError("nginx.empty", f"no configuration in the file: {conf}", hint=_WHAT)
    start = directory or conf.parent
    files = gather_files(whole.tree, start) if with_files and not dump else {}
    return _linted(conf, whole, nginx, files, start)


def write_changes(changed: Mapping[str, str]) -> None:
    """Write files anew, each atomically, with the mode and owner it has; links are followed. Raises FileError."""
    for file in _planned(changed):
        path = Path(file.path)
        status = path.stat()
        write_file(path, file.content, mode=file.mode)
        if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(path, status.st_uid, status.st_gid)


def preview_changes(changed: Mapping[str, str]) -> tuple[Preview, ...]:
    """Say what ``write_changes`` would do, without writing."""
    return preview(Path(), _planned(changed))


def _planned(changed: Mapping[str, str]) -> FileSet:
    paths = [Path(name).resolve() for name in changed]
    contents = (text.encode("utf-8", "surrogateescape") for text in changed.values())
    return FileSet(
        tuple(
            PlannedFile(str(path), content, path.stat().st_mode & 0o7777)
            for path, content in zip(paths, contents, strict=True)
        )
    )


def _read(conf: Path, text: str | None, directory: Path | None) -> WholeConfiguration:
    try:
        return read_configuration(conf, directory=directory, overlay=None if text is None else {str(conf): text})
    except FileError as error:
        raise InputError("nginx.unreadable", error.message, hint=error.hint or _WHAT) from error


def _linted(
    conf: Path, whole: WholeConfiguration, nginx: NginxVersion, files: Mapping[str, NamedFile], directory: Path
) -> Linting:
    neighbours = gather_neighbours(files, directory)
    model = build(whole.tree, version=nginx, now=now(), files=files, neighbours=neighbours)
    result = lint(model, whole.texts)
    return Linting(str(conf), nginx.package or str(nginx), model.is_fragment, result, whole.texts)


def _main_file(path: Path | None, nginx: NginxVersion) -> Path:
    if path is None:
        return Path(nginx.conf_path) if Path(nginx.conf_path).is_absolute() else _USUAL
    if path == Path("-"):
        return Path("stdin")
    return path / "nginx.conf" if path.is_dir() else path
