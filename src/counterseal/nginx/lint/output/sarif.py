"""Findings as SARIF 2.1.0, which code hosts and editors show beside the lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from counterseal.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.engine import LintResult, Located
    from counterseal.nginx.lint.fix import Fix
    from counterseal.nginx.lint.rule import Rule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.INFO: "note", Severity.LOW: "note", Severity.MEDIUM: "warning"}
_SCORES = {
    Severity.INFO: "0.0",
    Severity.LOW: "3.0",
    Severity.MEDIUM: "5.0",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}
"""GitHub's scale for the property security-severity."""


def write_sarif(result: LintResult, rules: Iterable[Rule], *, tool_version: str) -> str:
    """Return the log of one run as text."""
    return json.dumps(to_sarif(result, rules, tool_version=tool_version), indent=2)


def to_sarif(result: LintResult, rules: Iterable[Rule], *, tool_version: str) -> dict[str, Any]:
    """Return the log of one run."""
    ordered = sorted(rules, key=lambda rule: rule.code)
    index = {rule.code: number for number, rule in enumerate(ordered)}
    driver = {"name": "counterseal", "semanticVersion": tool_version, "rules": [_rule(rule) for rule in ordered]}
    results = [_result(located, index[located.rule.code]) for located in result.found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.evidence},
        "help": {"text": rule.remedy},
        "helpUri": rule.reference,
        "defaultConfiguration": {"level": _LEVELS.get(rule.severity, "error")},
        "properties": {"security-severity": _SCORES[rule.severity], "tags": ["security", "nginx", "mtls"]},
    }


def _result(located: Located, index: int) -> dict[str, Any]:
    place, finding = located.place, located.finding
    region = {"startLine": place.line, "startColumn": place.column, "endColumn": place.column + place.length}
    location = {"artifactLocation": {"uri": _uri(place.file)}, "region": region}
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS.get(finding.severity, "error"),
        "message": {"text": f"{finding.message}. {finding.hint}" if finding.hint else finding.message},
        "locations": [{"physicalLocation": location}],
        **({"fixes": [_fix(located.fix)]} if located.fix is not None and located.fix.edits else {}),
        **({"properties": {"command": located.fix.command}} if located.fix is not None and located.fix.command else {}),
    }


def _fix(fix: Fix) -> dict[str, Any]:
    """Return the edits by file (SARIF 3.55); whether they are but a suggestion stands in their text and properties."""
    by_file: dict[str, list[Edit]] = {}
    for edit in fix.edits:
        by_file.setdefault(edit.file, []).append(edit)
    changes = [
        {"artifactLocation": {"uri": _uri(file)}, "replacements": [_replacement(edit) for edit in edits]}
        for file, edits in by_file.items()
    ]
    told = f"suggestion, needs a decision: {fix.decision}" if fix.decision else "safe to apply as it is"
    properties = {"applicability": fix.applicability, "placeholders": list(fix.placeholders)}
    return {"description": {"text": told}, "artifactChanges": changes, "properties": properties}


def _replacement(edit: Edit) -> dict[str, Any]:
    line, column = edit.end
    region = {"startLine": edit.line, "startColumn": edit.column, "endLine": line, "endColumn": column}
    return {"deletedRegion": region, "insertedContent": {"text": edit.new}}


def _uri(path: str) -> str:
    """Return a URI: absolute for an absolute path, else relative to the checkout, as GitHub wants it."""
    quoted = quote(path.encode("utf-8", "surrogateescape"))
    return f"file://{quoted}" if path.startswith("/") else quoted
