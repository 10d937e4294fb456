"""One check as a value: what was looked at, on which certificate of the path, with which outcome and which values."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from counterseal.pki.path.words import in_words
from counterseal.pki.profile import Purpose

if TYPE_CHECKING:
    from counterseal.pki.path.catalogue import Kind
    from counterseal.pki.path.question import Question


class Outcome(StrEnum):
    """How a check ended.

    ``warn``: not as the standard or common practice asks, but no reason for a peer to refuse; ``skip``: not looked at.
    """

    PASS = "pass"  # noqa: S105 - an outcome
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


class Check(NamedTuple):
    """What one check found; ``position`` counts along the path: 0 is the end entity, None means the path itself.

    ``values`` are what was compared; they stand in the braces of ``text`` when the message is read, which most never
    are. ``section`` overrides the kind's where a rule stands elsewhere.
    """

    kind: Kind
    outcome: Outcome
    position: int | None
    text: str
    hint: str | None = None
    section: str | None = None
    values: tuple[object, ...] = ()

    @property
    def message(self) -> str:
        """What was found, with the values."""
        return self.text.format(*map(in_words, self.values)) if self.values else self.text

    @property
    def failed(self) -> bool:
        """Whether this check alone makes the path invalid."""
        return self.outcome is Outcome.FAIL

    @property
    def where_written(self) -> str:
        """The section of the standard that the check carries out."""
        return self.section or self.kind.section

    @property
    def fix(self) -> str | None:
        """What mends it; None where nothing is to be mended."""
        return (self.hint or self.kind.fix) if self.outcome in {Outcome.FAIL, Outcome.WARN} else self.hint


_new, _PASS = tuple.__new__, Outcome.PASS  # as NamedTuple does it, in half the time: most checks pass


def passed(kind: Kind, position: int | None, text: str, *values: object) -> Check:
    """Return a check that found what it should."""
    return _new(Check, (kind, _PASS, position, text, None, None, values))


def failed(
    kind: Kind, position: int | None, text: str, *values: object, hint: str | None = None, section: str | None = None
) -> Check:
    """Return a check that makes the path invalid."""
    return Check(kind, Outcome.FAIL, position, text, hint, section, values)


def warned(
    kind: Kind, position: int | None, text: str, *values: object, hint: str | None = None, section: str | None = None
) -> Check:
    """Return a check that found something odd which peers accept."""
    return Check(kind, Outcome.WARN, position, text, hint, section, values)


def lapsed(
    kind: Kind,
    position: int | None,
    text: str,
    question: Question,
    *values: object,
    hint: str | None = None,
    section: str | None = None,
) -> Check:
    """Return a check that found what the standard forbids and OpenSSL accepts.

    A server must please every client, so it fails; a client is judged by the OpenSSL of nginx, so it is a warning.
    """
    outcome = Outcome.FAIL if question.purpose is Purpose.SERVER else Outcome.WARN
    return Check(kind, outcome, position, text, hint, section, values)


def skipped(kind: Kind, position: int | None, text: str, *, hint: str | None = None) -> Check:
    """Return a check that was not made, with the reason."""
    return Check(kind, Outcome.SKIP, position, text, hint)
