"""A comment is to silence a rule that there is not."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.ignore import Ignore, Judged


def judge(judged: Judged) -> Iterator[Found]:
    """Find codes of no rule, for which the nearest one is suggested, and comments that name none at all."""
    place = judged.ignore.place
    if not judged.ignore.codes:
        yield Found(place, "the comment names no rule, and silences nothing", (judged.without_useless,))
    for code in judged.unknown:
        close = get_close_matches(code, judged.known, n=1)
        edit = _named(judged.ignore, code, close[0]) if close else judged.without_useless
        decision = f"whether {close[0]} is meant" if close else ""
        yield Found(place, f"no such rule: {code}", (edit,), decision=decision)


def _named(ignore: Ignore, code: str, meant: str) -> Edit:
    return ignore.write(f"[{ignore.listed}]", f"[{', '.join(meant if one == code else one for one in ignore.codes)}]")


RULE = Rule(
    code="ignore-unknown-code",
    severity=Severity.INFO,
    summary="A comment is to silence a rule that there is not.",
    evidence="The finding is told all the same; where the name was right in an older version, nobody notices that the "
    "comment is about nothing now.",
    remedy="name a code of: counterseal nginx lint --list-rules",
    reference="https://nginx.org/en/docs/beginners_guide.html#conf_structure",
    judge=judge,
    fixes=(Applicability.MACHINE_APPLICABLE, Applicability.MAYBE_INCORRECT),
)
