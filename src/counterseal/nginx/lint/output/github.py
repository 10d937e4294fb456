"""Findings as workflow commands, which GitHub Actions turns into annotations of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity

if TYPE_CHECKING:
    from counterseal.nginx.lint.engine import LintResult, Located

_COMMANDS = {Severity.INFO: "notice", Severity.LOW: "notice", Severity.MEDIUM: "warning"}


def to_github(result: LintResult) -> str:
    """Return one command a finding, a line each."""
    return "\n".join(map(_command, result.found))


def _command(located: Located) -> str:
    place, finding = located.place, located.finding
    properties = {
        "file": place.file,
        "line": str(place.line),
        "col": str(place.column),
        "endColumn": str(place.column + place.length),
        "title": finding.code,
    }
    written = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in properties.items())
    message = f"{finding.message}. {finding.hint}" if finding.hint else finding.message
    return f"::{_COMMANDS.get(finding.severity, 'error')} {written}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    for character in ("%", "\r", "\n", *more):
        text = text.replace(character, f"%{ord(character):02X}")
    return text
