"""What to say of a counterseal.toml that is no TOML, and what is known of it all the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from counterseal.config.raw import SECTIONS
from counterseal.config.settings import Settings
from counterseal.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_NEEDED = {"store": re.compile(rb"stor|postgres", re.IGNORECASE), "ca": re.compile(rb"\bca\b|\bcrl_(?:life|refresh)")}
"""What a revocation cannot be recorded and published without, and the traces of it in a file."""
_UNQUOTED = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=\s*\[?\s*(?!true\b|false\b)[A-Za-z0-9/*\[][^\"'#]*")
_HINTS = {
    "Cannot declare": "a table stands in the file once: put its keys together, or give one of the two another name",
    "Cannot overwrite": "a key stands in its table once: take one of the two out",
    "Duplicate inline": "a key stands in its table once: take one of the two out",
    "Unclosed array": "a list ends with ]",
    "Unclosed inline": "a table in one line ends with }",
    "Expected newline": "one value to a key: several stand in [ ], and text in quotes",
    "Illegal character": "text ends with a quote on its line",
    "Unterminated string": "text ends with a quote on its line",
    "Unescaped": "write text with a backslash in single quotes",
    "Expected '='": "a line is KEY = VALUE, or [TABLE] alone",
    "Invalid statement": "a line is KEY = VALUE, or [TABLE] alone",
    "'utf-8' codec": "save the file as UTF-8",
}


def not_toml(path: Path, content: bytes, error: ValueError) -> Settings:
    """Return settings of which each section raises ConfigError ``config.syntax``.

    But for where the store is and how long lists live, if nothing in the file looks as if it said that: a revocation is
    recorded and published whatever is wrong with the rest.
    """
    faulty = frozenset(name for name in SECTIONS if name not in _NEEDED or _NEEDED[name].search(content))
    hint = _hint(content.decode(errors="replace"), str(error))
    if "store" in faulty:
        hint += "; nothing is read or recorded before, because where the store is stands in this file"
    wrong = ConfigError("config.syntax", f"not a TOML file: {path}: {error}", hint=hint)
    return Settings(path, error=wrong, faulty=faulty)


def _hint(text: str, reason: str) -> str:
    if text.startswith("\ufeff"):
        return "save the file as UTF-8 without the byte order mark before its first line"
    number = re.search(r"at line (\d+)", reason)
    line = text.splitlines()[int(number[1]) - 1] if number and int(number[1]) <= len(text.splitlines()) else ""
    if reason.startswith(("Invalid", "Expected")) and (key := _UNQUOTED.fullmatch(line)):
        return f'text stands in quotes: {key[1]} = "...", or {key[1]} = ["...", "..."]'
    return next((hint for words, hint in _HINTS.items() if reason.startswith(words)), "correct it there")
