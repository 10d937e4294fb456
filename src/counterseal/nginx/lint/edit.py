"""Small changes to configuration files as values: made by rules, applied to the text they came from.

An edit names the place and the old text, so that it can never be applied to another file than the one it was made for.
"""

from __future__ import annotations

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


_OF_MAIN = frozenset({"events", "http", "stream"})


@dataclass(frozen=True, slots=True)
class Edit:
    """At that line and column (1-based), ``old`` becomes ``new``; either may be empty."""

    file: str
    line: int
    column: int
    old: str
    new: str

    @property
    def end(self) -> tuple[int, int]:
        """The line and column behind the old text."""
        *lines, last = self.old.split("\n")
        return self.line + len(lines), len(last) + (1 if lines else self.column)


def insert_before(directive: Directive, text: str) -> Edit:
    """Put ``text`` on a line of its own before the directive, indented like it; on the same line where it has none."""
    first = directive.words[0]
    head, newline, indentation = first.before.rpartition("\n")
    starts_line = bool(newline) and not indentation.strip(" \t")
    if not starts_line and (head or newline or first.column > 1):
        return Edit(directive.file, first.line, first.column, "", f"{text} ")
    return Edit(directive.file, first.line, first.column, "", f"{text}\n{indentation if newline else ''}")


def insert_into(level: Level, text: str) -> tuple[Edit, ...]:
    """Put ``text`` before the first directive of the level that stands in the same file as its block, if any.

    Outside every block that is the file with ``events``, and not one with a module to load, which is a package's.
    """
    around = level.block or next((one for one in level.directives if one.name in _OF_MAIN), None)
    own = (one for one in level.directives if around is None or one.file == around.file)
    return tuple(insert_before(one, text) for one in list(own)[:1])


def render_line(directive: Directive) -> str:
    """Return a directive as it stands, on one line; what a block holds keeps its own lines."""
    first = directive.words[0]
    return render_tree(Tree(directive.file, (directive,))).removeprefix(first.before)


def replace_word(directive: Directive, argument: int, new: str) -> Edit:
    """Write ``new`` in place of an argument, counted from 0, or at the end where the directive lacks it."""
    if len(directive.words) <= argument + 1:
        return append_word(directive, new)
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


def write_arguments(directive: Directive, arguments: Iterable[str]) -> Edit:
    """Write the directive anew with other arguments, as they are to stand there."""
    text = " ".join((directive.words[0].raw, *arguments))
    return Edit(directive.file, directive.line, directive.column, render_line(directive), f"{text};")


def choose_edits(groups: Iterable[tuple[Edit, ...]]) -> tuple[Edit, ...]:
    """Return the edits of all groups that agree; of two groups that contradict each other the first one counts."""
    chosen: dict[Edit, None] = {}
    by_line: dict[tuple[str, int], list[Edit]] = {}
    for edits in groups:
        lines = {edit: range(edit.line, edit.end[0] + 1) for edit in edits if edit not in chosen}
        near = [(edit, other) for edit in lines for line in lines[edit] for other in by_line.get((edit.file, line), ())]
        if not any(_overlap(edit, other) for edit, other in near):
            for edit, spanned in lines.items():
                chosen[edit] = None
                for line in spanned:
                    by_line.setdefault((edit.file, line), []).append(edit)
    return tuple(chosen)


def apply_edits(texts: Mapping[str, str], edits: Iterable[Edit]) -> dict[str, str]:
    """Return the files that change, with their new text; of edits that overlap the first one counts."""
    by_file: dict[str, list[Edit]] = {}
    for edit in dict.fromkeys(edits):
        by_file.setdefault(edit.file, []).append(edit)
    changed = {file: _applied(texts[file], found) for file, found in by_file.items() if file in texts}
    return {file: text for file, text in changed.items() if text != texts[file]}


def _overlap(one: Edit, other: Edit) -> bool:
    """Whether both change the same characters; what is inserted between them disturbs nobody."""
    return (one.line, one.column) < other.end and (other.line, other.column) < one.end


def _applied(text: str, edits: Iterable[Edit]) -> str:
    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    newline = "\r\n" if "\r\n" in text else "\n"
    found = ((starts[edit.line - 1] + edit.column - 1, edit) for edit in edits)
    placed = sorted(found, key=lambda pair: (pair[0], bool(pair[1].old)))  # what is put before a word comes before it
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


def _drop_line(text: str, pieces: list[str], done: int, starts: list[int]) -> int:
    """Drop the line that a removal has left empty; returns where the text goes on."""
    end = starts[bisect_right(starts, done)]
    before = "".join(pieces).rpartition("\n")[2]
    if text[done:end].strip() or before.strip():
        return done
    pieces[:] = [re.sub(r"[ \t]*\Z", "", "".join(pieces))]
    return min(end, len(text))
