"""Rules about what the application is told about the client (id-)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterseal.nginx.lint.rule import Rule

RULES: tuple[Rule, ...] = ()
