"""``# counterseal: ignore[code] reason``: which findings a comment in the configuration silences.

The comment stands at the end of the line it is about, or alone on the line above it. It names codes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.nginx.lint.edit import Edit
from counterseal.nginx.lint.rule import Place
from counterseal.nginx.parse import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COMMENT = re.compile(r"(?P<gap>(?:^|(?<=[;{}\s]))[ \t]*)(?P<text>#\s*counterseal:\s*ignore\b(?P<rest>.*))")
_QUOTES = frozenset("\"'")
_CODES = re.compile(r"\s*\[(?P<codes>[^\]]*)\]\s*(?P<reason>.*)")


@dataclass(frozen=True, slots=True)
class Ignore:
    """One such comment: where it begins, with what is before it on the line, and which line it is about.

    ``listed`` is what stands in its brackets, None where it has none, and ``reason`` what stands behind them, but for
    another comment.
    """

    file: str
    line: int
    column: int
    gap: str
    text: str
    about: int
    listed: str | None
    reason: str

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes it names, each once."""
        return tuple(dict.fromkeys(code for word in (self.listed or "").split(",") if (code := word.strip())))

    @property
    def place(self) -> Place:
        """All of it."""
        return Place(self.file, self.line, self.column, len(self.text))

    def write(self, old: str, new: str) -> Edit:
        """Write the comment anew, with ``new`` in place of the first ``old`` in it."""
        return Edit(self.file, self.line, self.column, self.text, self.text.replace(old, new, 1))

    def remove(self) -> Edit:
        """Take the comment away, and what is blank before it."""
        return Edit(self.file, self.line, self.column - len(self.gap), f"{self.gap}{self.text}", "")


@dataclass(frozen=True, slots=True)
class Judged:
    """A comment, and which of its codes name no rule, or silence nothing; ``known`` are those of all rules."""

    ignore: Ignore
    unknown: tuple[str, ...]
    unused: tuple[str, ...]
    known: frozenset[str]

    @property
    def kept(self) -> tuple[str, ...]:
        """The codes that it is there for."""
        return tuple(code for code in self.ignore.codes if code not in {*self.unknown, *self.unused})

    @property
    def without_useless(self) -> Edit:
        """What leaves these alone, or takes away a comment that is there for nothing."""
        kept = ", ".join(self.kept)
        return self.ignore.write(f"[{self.ignore.listed}]", f"[{kept}]") if kept else self.ignore.remove()


def find_ignores(texts: Mapping[str, str]) -> Iterator[Ignore]:
    """Yield every such comment in the files."""
    for file, text in texts.items():
        for number, line in enumerate(text.split("\n") if "counterseal:" in text else (), start=1):
            match = _COMMENT.search(line.rstrip("\r"))
            if match is not None and not _is_quoted(line[: match.start()]):
                is_alone = not line[: match.start()].strip()
                codes = _CODES.match(match["rest"])
                yield Ignore(
                    file=file,
                    line=number,
                    column=match.start("text") + 1,
                    gap=match["gap"],
                    text=match["text"],
                    about=number + is_alone,
                    listed=codes["codes"] if codes else None,
                    reason=codes["reason"].partition("#")[0].strip() if codes else "",
                )


def _is_quoted(before: str) -> bool:
    """Whether a quotation mark that is open makes what follows a part of a word."""
    return not _QUOTES.isdisjoint(TOKEN.sub("", before))
