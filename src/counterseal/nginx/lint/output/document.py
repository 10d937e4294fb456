"""Findings and rules as plain documents for ``--json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from counterseal.nginx.lint.engine import LintResult, Located
    from counterseal.nginx.lint.rule import Rule


def result_to_json(result: LintResult) -> dict[str, Any]:
    """Return ``{"findings": [...], "silenced": N}``."""
    return {"findings": [_finding(located) for located in result.found], "silenced": result.silenced}


def rule_to_json(rule: Rule) -> dict[str, Any]:
    """Return everything about one rule."""
    return {
        "code": rule.code,
        "severity": rule.severity.name.lower(),
        "summary": rule.summary,
        "evidence": rule.evidence,
        "remedy": rule.remedy,
        "reference": rule.reference,
        "affected": [str(span) for span in rule.affected],
    }


def _finding(located: Located) -> dict[str, Any]:
    finding, place = located.finding, located.place
    return {
        "code": finding.code,
        "severity": finding.severity.name.lower(),
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "length": place.length,
        "message": finding.message,
        "hint": finding.hint,
        "reference": located.rule.reference,
        "fixable": bool(located.edits),
    }
