"""What a rule is: a sentence about what is wrong, the proof that it matters, and a function that finds it.

A rule lives in a module of its own and looks at nothing but the model, or at a comment that silences. It yields
``Found`` with a place and a message; code, severity and remedy come from the rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.nginx.lint.edit import replace_word
from counterseal.nginx.lint.fix import Applicability, Fix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from counterseal.findings import Severity
    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.ignore import Judged
    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.tree import Directive
    from counterseal.nginx.version import NginxVersion

_PACKAGE = re.compile(r"(?P<base>.+\+deb\d+u)(?P<update>\d+)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: 1-based line and column, and how many characters to underline."""

    file: str
    line: int
    column: int
    length: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Found:
    """One thing a rule found; ``edits`` mend it: as they are, or once ``decision`` is made; or ``command`` does.

    ``harmed`` is the block that it makes unsafe, where that is another one than the one it stands in.
    """

    place: Place
    message: str
    edits: tuple[Edit, ...] = ()
    harmed: Directive | None = None
    decision: str = ""
    command: str = ""

    @property
    def fix(self) -> Fix | None:
        """What mends it; None where the text gives no place for an edit, such as a block that is empty."""
        return Fix(self.edits, self.decision, self.command) if self.edits or self.command else None


@dataclass(frozen=True, slots=True)
class Span:
    """The nginx versions from ``since`` up to, but not with, ``before``; ``mended_in`` names packages with the fix."""

    since: tuple[int, int, int] = (0, 0, 0)
    before: tuple[int, int, int] | None = None
    mended_in: tuple[str, ...] = ()

    def holds(self, version: NginxVersion) -> bool:
        """Whether this nginx is one of them."""
        if version.number < self.since or (self.before is not None and version.number >= self.before):
            return False
        return not any(_carries(version.package, fixed) for fixed in self.mended_in)

    def __str__(self) -> str:
        since, before = (".".join(map(str, number or ())) for number in (self.since, self.before))
        words = [f"from {since}" if any(self.since) else "", f"before {before}" if before else ""]
        if self.mended_in:
            words.append(f"(mended in {', '.join(self.mended_in)})")
        return " ".join(filter(None, words))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the catalogue.

    ``summary``: what is wrong, in a line. ``evidence``: what a real nginx did. ``remedy``: what to write instead.
    ``reference``: where nginx or a standard says so. ``affected``: the versions concerned, all where empty. ``fixes``:
    the kinds of fix that its findings have; ``command``: the one that mends it, with what changes in capitals. A rule
    with ``judge`` in place of ``check`` is about the comments that silence the others.
    """

    code: str
    severity: Severity
    summary: str
    evidence: str
    remedy: str
    reference: str
    check: Callable[[Configuration], Iterable[Found]] | None = None
    affected: tuple[Span, ...] = ()
    fixes: tuple[Applicability, ...] = (Applicability.MACHINE_APPLICABLE,)
    command: str = ""
    judge: Callable[[Judged], Iterable[Found]] | None = None

    def concerns(self, version: NginxVersion) -> bool:
        """Whether the rule is about this nginx."""
        return not self.affected or any(span.holds(version) for span in self.affected)


def at(directive: Directive, argument: int | None = None) -> Place:
    """Return the place of a directive as far as it stands on one line, or of one of its arguments, from 0."""
    word = directive.words[0 if argument is None else argument + 1]
    if argument is not None:
        return Place(directive.file, word.line, word.column, len(word.raw))
    last = next(one for one in reversed(directive.words) if one.line == word.line)
    return Place(directive.file, word.line, word.column, max(1, last.column + len(last.raw) - word.column))


def name_another(directive: Directive, placeholder: str, message: str, *, decision: str) -> Found:
    """Return the finding that a directive names the wrong file, with a placeholder suggested for the right one."""
    return Found(at(directive, 0), message, (replace_word(directive, 0, placeholder),), decision=decision)


def _carries(package: str | None, fixed: str) -> bool:
    """Whether a package is the one that brought the fix, or a later update of the same release."""
    have, need = _PACKAGE.match(package or ""), _PACKAGE.match(fixed)
    if have is None or need is None:
        return package == fixed
    return have["base"] == need["base"] and int(have["update"]) >= int(need["update"])
