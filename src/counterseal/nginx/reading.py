"""Reading a whole configuration: the main file, and every file its includes name, each once.

The main file lies on this machine, or everything is in the output of ``nginx -T``, which may come from another one.
"""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from posixpath import normpath
from typing import TYPE_CHECKING

from counterseal.errors import InputError, encoding_hint
from counterseal.files import read_file
from counterseal.nginx.includes import GLOB, expand
from counterseal.nginx.parse import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from counterseal.nginx.tree import Tree

_SAVE = "save it as UTF-8 without a byte order mark"
_DUMPED = re.compile(r"^# configuration file (.+):\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class WholeConfiguration:
    """The expanded tree, and the text of every file that was read, by the path that its directives carry.

    ``includes``: the absolute names and patterns of every include, where it was read from this machine.
    """

    tree: Tree
    texts: Mapping[str, str]
    includes: frozenset[str] = frozenset()


def read_configuration(
    conf: Path,
    *,
    directory: Path | None = None,
    overlay: Mapping[str, str] | None = None,
    skip: Callable[[Path], bool] = lambda _: False,
) -> WholeConfiguration:
    """Read ``conf`` and what it includes; files for which ``skip`` says so are left out.

    ``overlay`` holds the text of files that lie elsewhere or nowhere yet, by absolute path, or that of ``conf`` itself.
    Relative names start from ``directory``, by default its own. Raises FileError, and InputError ``nginx.syntax`` and
    those of ``includes.expand``, with file, line and column.
    """
    given = overlay or {}
    known = _by_parts(given)
    texts: dict[str, str] = {}
    includes: set[str] = set()

    def text_of(path: str) -> str:
        if path not in texts:
            texts[path] = given[path] if path in given else _text(Path(path))
        return texts[path]

    def read(pattern: str) -> list[tuple[str, str]]:
        wanted = str((directory or conf.parent) / pattern)
        includes.add(wanted)
        there = [path for path in glob.glob(wanted) if Path(path).is_file()]  # noqa: PTH207 - nginx's are glob patterns
        paths = sorted({*there, *_matching(known, wanted)})
        left = [(path, text_of(path)) for path in paths if not skip(Path(path))]
        return left if left or GLOB & set(pattern) else [(path, "") for path in paths]  # it does exist

    main = parse(text_of(str(conf)), file=str(conf))
    return WholeConfiguration(expand(main, read), texts, frozenset(includes))


def read_dump(texts: Mapping[str, str]) -> WholeConfiguration:
    """Read a configuration from the files of ``split_dump``; raises InputError as ``read_configuration`` does."""
    main, known = next(iter(texts)), _by_parts(texts)

    def read(pattern: str) -> list[tuple[str, str]]:
        return [(path, texts[path]) for path in sorted(_matching(known, str(PurePath(main).parent / pattern)))]

    return WholeConfiguration(expand(parse(texts[main], file=main), read), texts)


def split_dump(text: str) -> dict[str, str]:
    """Return the files in the output of ``nginx -T``, the main one first; nothing when it is no such output."""
    pieces = _DUMPED.split(text)
    if len(pieces) == 1 or pieces[0].strip():
        return {}
    # nginx ends each file with a line feed of its own.
    return {path: content.removesuffix("\n") for path, content in zip(pieces[1::2], pieces[2::2], strict=True)}


def _by_parts(paths: Iterable[str]) -> dict[tuple[str, ...], str]:
    return {PurePath(path).parts: path for path in paths}


def _matching(known: Mapping[tuple[str, ...], str], pattern: str) -> Iterator[str]:
    """Yield the paths that a pattern names; one without a wildcard, of which there may be thousands, is looked up."""
    wanted = PurePath(normpath(pattern)).parts
    if not GLOB & set(pattern):
        yield from (known[parts] for parts in (wanted,) if parts in known)
        return
    for parts, path in known.items():
        if len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted)):
            yield path


def _text(path: Path) -> str:
    content = read_file(path)
    if encoding_hint(content):
        raise InputError("nginx.encoding", f"the file is UTF-16 text, which nginx does not read: {path}", hint=_SAVE)
    return content.decode("utf-8", "surrogateescape")
