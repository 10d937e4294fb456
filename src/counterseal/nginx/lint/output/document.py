"""Findings and rules as plain documents for ``--json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from counterseal.nginx.lint.fix import Applicability

if TYPE_CHECKING:
    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.engine import LintResult, Located
    from counterseal.nginx.lint.fix import Fix
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
        "fixes": list(rule.fixes),
        "command": rule.command or None,
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
        "fixable": located.has(Applicability.MACHINE_APPLICABLE),
        "fix": _fix(located.fix) if located.fix else None,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    """Return how sure a fix is, what it waits for, and its edits: what stands from ``start`` to ``end`` is replaced."""
    return {
        "applicability": fix.applicability,
        "decision": fix.decision or None,
        "placeholders": list(fix.placeholders),
        "command": fix.command or None,
        "edits": [_edit(edit) for edit in fix.edits],
    }


def _edit(edit: Edit) -> dict[str, Any]:
    end_line, end_column = edit.end
    return {
        "file": edit.file,
        "line": edit.line,
        "column": edit.column,
        "end_line": end_line,
        "end_column": end_column,
        "text": edit.new,
    }
