"""Rules about the comments that silence findings (ignore-): they name rules, are of use, and give a reason.

No such comment silences them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.lint.ignored import unknown_code, unused, without_reason

if TYPE_CHECKING:
    from counterseal.nginx.lint.rule import Rule

RULES: tuple[Rule, ...] = (
    unknown_code.RULE,
    unused.RULE,
    without_reason.RULE,
)
