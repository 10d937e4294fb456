"""Text of an nginx configuration to a tree, read the way nginx's own ``ngx_conf_read_token`` does.

Decides where words, comments and blocks begin and end; knows no directive but ``*_by_lua_block``, whose braces belong
to Lua. Opens no file. Faults are InputError ``nginx.syntax`` with ``file:line:column``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.nginx.tree import Block, Directive, Tree, Word

if TYPE_CHECKING:
    from typing import NoReturn

# Deeper nesting than any real configuration: http > server > location > location > if is five.
DEEPEST = 100

TOKEN = re.compile(
    r"""
    (?P<space>   [ \t\r\n]+ )
  | (?P<comment> \#[^\n]* )
  | (?P<mark>    [;{}] )
  | (?P<quoted>  "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
  | (?P<bare>    (?: \\. | \$\{? | [^ \t\r\n;{}"'\#\\$] ) (?: \\. | \$\{? | [^ \t\r\n;{\\$] )* )
    """,
    re.VERBOSE | re.DOTALL,
)
"""One word, mark, comment or space; no text begins with one where a quote is never closed."""
_AFTER_QUOTE = frozenset(" \t\r\n;{)")

# Lua as the lexer of lua-nginx-module reads it: braces do not count in long comments and strings, which have to end,
# in line comments and in short strings. One that goes on behind a backslash in the next line is no string to it.
_LUA = re.compile(
    r"""
    (?:--)? \[ (?P<level>=*) \[ (?: .*? \] (?P=level) \] | (?P<endless>) )
  | -- [^\n]*
  | " (?: [^"\\\n] | \\[^\n] )* " | ' (?: [^'\\\n] | \\[^\n] )* '
  | (?P<open>\{) | (?P<close>\})
  | [^-\["'{}]+ | .
    """,
    re.VERBOSE | re.DOTALL,
)


def parse(source: str | bytes, *, file: str = "nginx.conf") -> Tree:
    """Return the tree of one file. Bytes that are not UTF-8 survive as surrogates (PEP 383)."""
    text = source.decode("utf-8", "surrogateescape") if isinstance(source, bytes) else source
    return _Reader(text, file).read()


@dataclass(slots=True)
class _Open:
    """A block whose ``}`` has not come yet."""

    words: tuple[Word, ...] = ()
    before_end: str = ""
    directives: list[Directive] = field(default_factory=list)


class _Reader:
    """One pass over one text; ``_open`` holds the blocks around the present place, the file itself first."""

    def __init__(self, text: str, file: str) -> None:
        self._text, self._file = text, file
        self._at, self._line, self._line_start = 0, 1, 0
        self._trivia = ""
        self._words: list[Word] = []
        self._open = [_Open()]

    def read(self) -> Tree:
        while self._at < len(self._text):
            self._step()
        if self._words:
            self._fail(f'directive "{_shown(self._words[0].text)}" is not ended by ";"', self._words[0])
        if len(self._open) > 1:
            unclosed = self._open[-1].words[0]
            self._fail(f'block "{_shown(unclosed.text)}" is never closed', unclosed)
        return Tree(self._file, tuple(self._open[0].directives), self._trivia)

    def _step(self) -> None:
        match = TOKEN.match(self._text, self._at)
        if match is None:
            self._fail("quote is never closed" if self._text[self._at] in "\"'" else "unexpected end after a backslash")
        kind, text, end = match.lastgroup, match[0], match.end()
        if kind in {"space", "comment"}:
            self._trivia += text
        elif kind != "mark":
            self._word(text, is_quoted=kind == "quoted")
        elif text == "{" and self._words and self._words[0].text.endswith("_by_lua_block"):
            end = self._lua(end)
        else:
            self._mark(text)
        self._advance(end)

    def _word(self, raw: str, *, is_quoted: bool) -> None:
        self._words.append(Word(raw, self._line, self._at - self._line_start + 1, self._take_trivia()))
        following = self._text[self._at + len(raw) : self._at + len(raw) + 1]
        if is_quoted and following and following not in _AFTER_QUOTE:
            self._fail(f'unexpected "{_shown(following)}" after a closing quote')

    def _mark(self, mark: str) -> None:
        if mark == "}":
            self._close()
        elif not self._words:
            self._fail(f'unexpected "{mark}"')
        elif mark == ";":
            self._append(Directive(self._file, self._take_words(), self._take_trivia()))
        elif len(self._open) > DEEPEST:
            self._fail(f"blocks nested deeper than {DEEPEST}")
        else:
            self._open.append(_Open(self._take_words(), self._take_trivia()))

    def _close(self) -> None:
        if self._words:
            self._fail(f'directive "{_shown(self._words[0].text)}" is not ended by ";"', self._words[0])
        if len(self._open) == 1:
            self._fail('unexpected "}"')
        closed = self._open.pop()
        block = Block(tuple(closed.directives), self._take_trivia())
        self._append(Directive(self._file, closed.words, closed.before_end, block))

    def _lua(self, start: int) -> int:
        """Take everything up to the brace that closes the Lua block; returns the place after it."""
        end = _lua_end(self._text, start)
        if end is None:
            self._fail(f'block "{self._words[0].text}" is never closed', self._words[0])
        block = Block(code=self._text[start : end - 1])
        self._append(Directive(self._file, self._take_words(), self._take_trivia(), block))
        return end

    def _append(self, directive: Directive) -> None:
        self._open[-1].directives.append(directive)

    def _take_trivia(self) -> str:
        trivia, self._trivia = self._trivia, ""
        return trivia

    def _take_words(self) -> tuple[Word, ...]:
        words, self._words = tuple(self._words), []
        return words

    def _advance(self, end: int) -> None:
        newlines = self._text.count("\n", self._at, end)
        if newlines:
            self._line += newlines
            self._line_start = self._text.rindex("\n", self._at, end) + 1
        self._at = end

    def _fail(self, why: str, word: Word | None = None) -> NoReturn:
        line, column = (word.line, word.column) if word else (self._line, self._at - self._line_start + 1)
        raise InputError("nginx.syntax", f"cannot read nginx configuration: {self._file}:{line}:{column}: {why}")


def _shown(text: str) -> str:
    """Return the text as far as it is fit for a message."""
    return text[:60] if text[:60].isprintable() else ascii(text[:60])[1:-1]


def _lua_end(text: str, start: int) -> int | None:
    """Return the place after the brace that closes the Lua block whose code begins at ``start``, if any."""
    depth = 1
    for match in _LUA.finditer(text, start):
        if match["endless"] is not None:
            return None
        depth += (match["open"] is not None) - (match["close"] is not None)
        if depth == 0:
            return match.end()
    return None
