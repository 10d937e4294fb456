"""What a check found is a value, never an exception.

Lint rules, policy, configuration and the proof all answer with findings; an edge decides what to do with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple


class Severity(IntEnum):
    """How bad a finding is; ordered, so that ``>=`` compares."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


class Finding(NamedTuple):
    """One thing found: a stable ``code``, how bad, what it is (with the value), where, and what mends it.

    ``where`` in a file of ours is the path of a key, and ``line`` its line, from 1.
    """

    code: str
    severity: Severity
    message: str
    where: str | None = None
    hint: str | None = None
    line: int | None = None

    @property
    def place(self) -> str | None:
        """Where, in words: ``line 5, sites.panel.listen``."""
        return f"line {self.line}, {self.where}" if self.line else self.where


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one run, in the order found."""

    findings: tuple[Finding, ...] = ()

    @property
    def worst(self) -> Severity | None:
        """The highest severity present, or None when nothing was found."""
        return max((finding.severity for finding in self.findings), default=None)

    def at_or_above(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings of at least this severity."""
        return tuple(finding for finding in self.findings if finding.severity >= severity)
