"""The nginx configuration as a tree that forgets nothing.

Every word keeps its quoting, its place and the white space and comments before it, so that writing an unchanged tree
gives the same bytes and a rule can point at line and column. What a directive means is none of this module's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# ngx_conf_read_token resolves these escapes, in quoted and in bare words alike, and leaves every other backslash alone.
_ESCAPE = re.compile(r"""\\(["'\\trn])""")
_ESCAPED = {"t": "\t", "r": "\r", "n": "\n"}


@dataclass(frozen=True, slots=True)
class Word:
    """One word as written: ``raw`` with its quotes, its place (1-based), and the trivia ``before`` it."""

    raw: str
    line: int
    column: int
    before: str = ""

    @property
    def is_quoted(self) -> bool:
        """Whether the word stands in quotes."""
        return self.raw[:1] in {'"', "'"}

    @property
    def text(self) -> str:
        """The word as nginx reads it: without quotes, escapes resolved."""
        inner = self.raw[1:-1] if self.is_quoted else self.raw
        return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), inner) if "\\" in inner else inner


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between ``{`` and ``}``: directives, or for a Lua block its ``code`` verbatim."""

    directives: tuple[Directive, ...] = ()
    before_close: str = ""
    code: str | None = None


@dataclass(frozen=True)
class Directive:
    """One directive: its words, and its block where it has one; ``before_end`` is the trivia before ``;`` or ``{``."""

    file: str
    words: tuple[Word, ...]
    before_end: str = ""
    block: Block | None = None

    @cached_property
    def name(self) -> str:
        """The first word."""
        return self.words[0].text

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """The words after the first, as nginx reads them."""
        return tuple(word.text for word in self.words[1:])

    @property
    def line(self) -> int:
        """The line of the first word, from 1."""
        return self.words[0].line

    @property
    def column(self) -> int:
        """The column of the first word, from 1, in characters."""
        return self.words[0].column

    @property
    def where(self) -> str:
        """``file:line:column``, for messages."""
        return f"{self.file}:{self.line}:{self.column}"

    @property
    def directives(self) -> tuple[Directive, ...]:
        """The directives of the block; none without one."""
        return self.block.directives if self.block else ()


@dataclass(frozen=True, slots=True)
class Tree:
    """One configuration file; ``tail`` is the trivia after its last directive."""

    file: str
    directives: tuple[Directive, ...] = ()
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A directive and the blocks around it, outermost first."""

    directive: Directive
    parents: tuple[Directive, ...] = ()

    @property
    def context(self) -> tuple[str, ...]:
        """Names of the blocks around it: ``("http", "server")``; empty in the main context."""
        return tuple(parent.name for parent in self.parents)


def walk(tree: Tree) -> Iterator[Placed]:
    """Yield every directive of the tree with its context, in the order written."""
    yield from _walk(tree.directives, ())


def _walk(directives: tuple[Directive, ...], parents: tuple[Directive, ...]) -> Iterator[Placed]:
    for directive in directives:
        yield Placed(directive, parents)
        yield from _walk(directive.directives, (*parents, directive))


def render_tree(tree: Tree) -> str:
    """Write the tree; for a tree that ``parse`` made this is the text it was made from, character by character."""
    return "".join((*_written(tree.directives), tree.tail))


def _written(directives: tuple[Directive, ...]) -> Iterator[str]:
    for directive in directives:
        for word in directive.words:
            yield word.before
            yield word.raw
        yield directive.before_end
        if directive.block is None:
            yield ";"
        else:
            yield "{"
            yield from (directive.block.code,) if directive.block.code is not None else ()
            yield from _written(directive.block.directives)
            yield directive.block.before_close
            yield "}"
