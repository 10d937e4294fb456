"""A comment silences nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.rule import Found, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.ignore import Judged


def judge(judged: Judged) -> Iterator[Found]:
    """Find codes of rules that have nothing to say on that line."""
    for code in judged.unused:
        message = f"silences nothing on line {judged.ignore.about}: {code}"
        yield Found(judged.ignore.place, message, (judged.without_useless,))


RULE = Rule(
    code="ignore-unused",
    severity=Severity.INFO,
    summary="A comment silences a rule that finds nothing there.",
    evidence="What it was about was mended, or stands on another line. Left there, it hides what the same rule finds "
    "on this line later.",
    remedy="take the comment away, or put it at the end of the line that it is about, or alone above that",
    reference="https://nginx.org/en/docs/beginners_guide.html#conf_structure",
    judge=judge,
)
