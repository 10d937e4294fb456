"""On which line of counterseal.toml a key stands: the parser of TOML tells values, and not where they are."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_INDEX = re.compile(r"\[\d+\]")


def lines_of(text: str) -> dict[str, int]:
    """Return the line, from 1, of each table and key that has one of its own, by its path: ``sites.panel.listen``.

    A table of an array is ``sites.panel.locations[0]``. What stands inside an inline table has the line of that table.
    """
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("["):
            table = _table(line, found) or table
            found.setdefault(_INDEX.sub("", table).partition(".")[0], number)
            found.setdefault(table, number)
        elif path := _path(f"{line.partition('=')[0]}= 0"):
            found.setdefault(".".join(part for part in (table, *path) if part), number)
    return found


def line_of(where: str, lines: Mapping[str, int]) -> int | None:
    """Return the line of the key at ``where``, or of the table that it stands in."""
    while where and where not in lines:
        shorter = re.sub(r"(?:\.[^.\[\]]*|\[\d+\])\Z", "", where)
        where = shorter if shorter != where else ""
    return lines.get(where)


def _table(line: str, found: dict[str, int]) -> str | None:
    path = ".".join(_path(line))
    if not (path and line.lstrip().startswith("[[")):
        return path or None
    index = sum(1 for key in found if _INDEX.sub("", key) == path and key.endswith("]"))
    return f"{path}[{index}]"


def _path(line: str) -> list[str]:
    """Return the names of the one key or table of a line; none where it is the middle of a value."""
    try:
        content: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return []
    path = []
    while isinstance(content, dict | list) and content:
        if isinstance(content, dict):
            name, content = next(iter(content.items()))
            path.append(name)
        else:
            content = content[0]
    return path
