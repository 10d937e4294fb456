"""A finding is silenced, and nobody says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.ignore import Judged


def judge(judged: Judged) -> Iterator[Found]:
    """Find comments that are of use, with nothing behind the bracket."""
    if judged.kept and not judged.ignore.reason:
        brackets = f"[{judged.ignore.listed}]"
        edits = (judged.ignore.write(brackets, f"{brackets} <reason>"),)
        message = f"silenced without a reason: {', '.join(judged.kept)}"
        yield Found(judged.ignore.place, message, edits, decision="why this is no mistake here")


RULE = Rule(
    code="ignore-without-reason",
    severity=Severity.INFO,
    summary="A comment silences a rule and does not say why.",
    evidence="Who reads it a year later cannot tell a decision from a finding that was in the way.",
    remedy="write the reason behind the bracket: # counterseal: ignore[CODE] the load balancer verifies",
    reference="https://nginx.org/en/docs/beginners_guide.html#conf_structure",
    judge=judge,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
