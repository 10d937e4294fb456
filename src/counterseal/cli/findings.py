"""Findings as lines for people, in the order in which they were found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from counterseal.findings import Finding, Report, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from counterseal.cli.common import Run

_COLORS = {Severity.CRITICAL: "red", Severity.HIGH: "red", Severity.MEDIUM: "yellow"}

fail_on_option = click.option(
    "--fail-on",
    type=click.Choice([severity.name.lower() for severity in Severity]),
    default="low",
    show_default=True,
    help="Exit 3 from here on.",
)


def finding_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield each finding with its severity and code, and its hint below; coloured where a terminal reads it."""
    for finding in findings:
        severity = click.style(finding.severity.name.lower(), fg=_COLORS.get(finding.severity), bold=True)
        yield f"  {severity}: {finding.message} [{finding.code}]"
        if finding.hint:
            yield f"    hint: {finding.hint}"


def tell_findings(run: Run, findings: Iterable[Finding]) -> None:
    """Tell on stderr what the linter found beside what was asked for, a line each."""
    for finding in findings:
        run.tell(f"{finding.severity.name.lower()}: {finding.where}: {finding.message} [{finding.code}]")


def findings_to_json(findings: Iterable[Finding]) -> list[dict[str, str | None]]:
    """Return the same as data."""
    return [
        {"code": one.code, "severity": one.severity.name.lower(), "where": one.where, "message": one.message}
        for one in findings
    ]


def worst_of(findings: Iterable[Finding]) -> str:
    """Return the highest severity among findings as a word, empty without any."""
    worst = Report(tuple(findings)).worst
    return "" if worst is None else worst.name.lower()
