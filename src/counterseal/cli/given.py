"""Files as arguments: read with their mode, ``-`` for standard input, and never more than fits a file of this trade."""

from __future__ import annotations

import stat
import sys
from typing import TYPE_CHECKING

from counterseal.authority.inspected import GivenFile
from counterseal.errors import CountersealError
from counterseal.files import not_read, read_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def given_files(paths: Sequence[Path]) -> tuple[GivenFile, ...]:
    """Return the files in their order, each once; raises FileError, InputError ``file.too_large``."""
    return tuple(_given(path) for path in dict.fromkeys(paths))


def readable_files(paths: Sequence[Path]) -> tuple[tuple[GivenFile, ...], CountersealError | None]:
    """Return the files that can be read, and why the first other one cannot; raises it where none can."""
    read, failure = list[GivenFile](), None
    for path in dict.fromkeys(paths):
        try:
            read.append(_given(path))
        except CountersealError as error:
            failure = failure or error
    if failure and not read:
        raise failure
    return tuple(read), failure


def _given(path: Path) -> GivenFile:
    if str(path) == "-":
        return GivenFile("standard input", read_whole(sys.stdin.buffer, "standard input"))
    try:
        with path.open("rb") as stream:
            mode = stat.S_IMODE(path.stat().st_mode)
            return GivenFile(str(path), read_whole(stream, str(path)), mode)
    except OSError as error:
        raise not_read(path, error) from error
