"""Files as arguments: read with their mode, ``-`` for standard input, and never more than fits a file of this trade."""

from __future__ import annotations

import stat
import sys
from typing import TYPE_CHECKING

from counterseal.authority.inspected import GivenFile
from counterseal.errors import InputError
from counterseal.files import not_read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MAX_BYTES = 512 * 1024 * 1024
"""A CRL of ten million entries has less."""


def given_files(paths: Sequence[Path]) -> tuple[GivenFile, ...]:
    """Return the files in their order, each once; raises FileError, InputError ``file.too_large``."""
    return tuple(_given(path) for path in dict.fromkeys(paths))


def _given(path: Path) -> GivenFile:
    if str(path) == "-":
        return GivenFile("standard input", _limited("standard input", sys.stdin.buffer.read(MAX_BYTES + 1)))
    try:
        with path.open("rb") as stream:
            mode = stat.S_IMODE(path.stat().st_mode)
            return GivenFile(str(path), _limited(str(path), stream.read(MAX_BYTES + 1)), mode)
    except OSError as error:
        raise not_read(path, error) from error


def _limited(name: str, content: bytes) -> bytes:
    if len(content) > MAX_BYTES:
        raise InputError("file.too_large", f"file is larger than {MAX_BYTES // 1024 // 1024} MiB: {name}")
    return content
