"""Small changes to configuration files as values: made by rules, shown as a patch, applied to the text they came from.

An edit names the place and the old text, so that it can never be applied to another file than the one it was made for.
"""

from __future__ import annotations

import difflib
import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from counterseal.nginx.tree import Tree, render_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.tree import Directive, Word


@dataclass(frozen=True, slots=True)
class Edit:
    """At that line and column (1-based), ``old`` becomes ``new``; either may be empty."""

    file: str
    line: int
    column: int
    old: str
    new: str


def insert_before(directive: Directive, text: str) -> Edit:
    """Put ``text`` on a line of its own before the directive, indented like it; on the same line where it has none."""
    first = directive.words[0]
    head, newline, indentation = first.before.rpartition("\n")
    starts_line = bool(newline) and not indentation.strip(" \t")
    if not starts_line and (head or newline or first.column > 1):
        return Edit(directive.file, first.line, first.column, "", f"{text} ")
    return Edit(directive.file, first.line, first.column, "", f"{text}\n{indentation if newline else ''}")


def insert_into(level: Level, text: str) -> tuple[Edit, ...]:
    """Put ``text`` before the first directive of the level that stands in the same file as its block, if any."""
    own = (one for one in level.directives if level.block is None or one.file == level.block.file)
    return tuple(insert_before(one, text) for one in list(own)[:1])


def render_line(directive: Directive) -> str:
    """Return a directive as it stands, on one line; what a block holds keeps its own lines."""
    first = directive.words[0]
    return render_tree(Tree(directive.file, (directive,))).removeprefix(first.before)


def replace_word(directive: Directive, argument: int, new: str) -> Edit:
    """Write ``new`` in place of an argument, counted from 0."""
    word = directive.words[argument + 1]
    return Edit(directive.file, word.line, word.column, word.raw, new)


def append_word(directive: Directive, new: str) -> Edit:
    """Write one more word at the end of the directive."""
    last = directive.words[-1]
    return Edit(directive.file, last.line, last.column, last.raw, f"{last.raw} {new}")


def remove(directive: Directive) -> Edit:
    """Take the whole directive away, with its line where nothing else stands on it."""
    first: Word = directive.words[0]
    return Edit(directive.file, first.line, first.column, render_line(directive), "")


def apply_edits(texts: Mapping[str, str], edits: Iterable[Edit]) -> dict[str, str]:
    """Return the files that change, with their new text; of edits that overlap the first one counts."""
    by_file: dict[str, list[Edit]] = {}
    for edit in dict.fromkeys(edits):
        by_file.setdefault(edit.file, []).append(edit)
    changed = {file: _applied(texts[file], found) for file, found in by_file.items() if file in texts}
    return {file: text for file, text in changed.items() if text != texts[file]}


def show_patch(texts: Mapping[str, str], changed: Mapping[str, str]) -> str:
    """Return a unified diff that ``patch -p1`` applies from the root directory."""
    lines: list[str] = []
    for file, text in changed.items():
        name = file.lstrip("/")
        lines += difflib.unified_diff(_lines(texts[file]), _lines(text), f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _applied(text: str, edits: Iterable[Edit]) -> str:
    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    newline = "\r\n" if "\r\n" in text else "\n"
    placed = sorted(((starts[edit.line - 1] + edit.column - 1, edit) for edit in edits), key=lambda pair: pair[0])
    pieces: list[str] = []
    done = 0
    for start, edit in placed:
        if start < done or not text.startswith(edit.old, start):
            continue
        pieces += [text[done:start], edit.new.replace("\n", newline)]
        done = start + len(edit.old)
        if not edit.new:
            done = _drop_line(text, pieces, done, starts)
    return "".join([*pieces, text[done:]])


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _drop_line(text: str, pieces: list[str], done: int, starts: list[int]) -> int:
    """Drop the line that a removal has left empty; returns where the text goes on."""
    end = starts[bisect_right(starts, done)]
    before = "".join(pieces).rpartition("\n")[2]
    if text[done:end].strip() or before.strip():
        return done
    pieces[:] = [re.sub(r"[ \t]*\Z", "", "".join(pieces))]
    return min(end, len(text))
