"""Rules about the files that a configuration names (file-): there, readable, and what they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.lint.file import (
    malformed,
    missing,
    unreadable,
)

if TYPE_CHECKING:
    from counterseal.nginx.lint.rule import Rule

RULES: tuple[Rule, ...] = (
    malformed.RULE,
    missing.RULE,
    unreadable.RULE,
)
