"""Unified diffs of configuration files, which show no private key that stands in one (``data:``).

A line with a part of a key is no context: a hunk ends before it. Where such a line itself changes, the key is left out
of it, and the hunk is one that no tool applies.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

HIDDEN = "(not shown)"
_KEY = re.compile(r"(BEGIN [A-Z ]*PRIVATE KEY-----)(.*?)(?=-----END|\Z)", re.DOTALL)
_ON_A_LINE = re.compile(r"[^\r\n]+")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_CONTEXT = 3


class _Row(NamedTuple):
    """One line of a hunk: its mark, how many lines of the old and of the new file stand before it, and itself."""

    mark: str
    before: tuple[int, int]
    text: str
    is_secret: bool


def hide_keys(text: str) -> str:
    """Return the text with its private keys left out; what else stands there keeps its line and column."""
    return _KEY.sub(lambda key: key[1] + _ON_A_LINE.sub(lambda part: HIDDEN.ljust(len(part[0])), key[2]), text)


def show_patch(texts: Mapping[str, str], changed: Mapping[str, str]) -> str:
    """Return a unified diff that ``patch -p1`` applies from the root directory."""
    lines: list[str] = []
    for file, text in changed.items():
        name = file.lstrip("/")
        hunks = list(_hunks(texts[file], text))
        lines += [f"--- a/{name}\n", f"+++ b/{name}\n", *hunks] if hunks else []
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _hunks(old: str, new: str) -> Iterator[str]:
    was, now = _LINE.findall(old), _LINE.findall(new)
    was_shown, now_shown = _LINE.findall(hide_keys(old)), _LINE.findall(hide_keys(new))
    for group in SequenceMatcher(None, was, now).get_grouped_opcodes(_CONTEXT):
        rows: list[_Row] = []
        for tag, first, last, first_new, last_new in group:
            mark, kept = (" ", first_new - first) if tag == "equal" else ("-", 0)
            for at in range(first, last):
                before = (at, at + kept if mark == " " else first_new)
                rows.append(_Row(mark, before, was_shown[at], was_shown[at] != was[at]))
            added = range(first_new, last_new) if mark == "-" else ()
            rows += (_Row("+", (last, at), now_shown[at], now_shown[at] != now[at]) for at in added)
        yield from _written(rows)


def _written(rows: Iterable[_Row]) -> Iterator[str]:
    """Yield the lines of a hunk, or of several where a key would be context."""
    for is_between, group in groupby(rows, key=lambda row: row.mark == " " and row.is_secret):
        part = list(group)
        if not is_between and any(row.mark != " " for row in part):
            counts = [sum(row.mark != other for row in part) for other in "+-"]
            spans = (_span(start, count) for start, count in zip(part[0].before, counts, strict=True))
            yield "@@ -{} +{} @@\n".format(*spans)
            yield from (f"{row.mark}{row.text}" for row in part)


def _span(before: int, count: int) -> str:
    """Return a range as unified diffs write it: one of no lines is named after the line before it."""
    first = before + 1 if count else before
    return str(first) if count == 1 else f"{first},{count}"
