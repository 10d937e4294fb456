"""Findings for people: place, severity and code, the line itself with what is meant underlined, and what mends it."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from counterseal.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from counterseal.nginx.lint.engine import LintResult, Located
    from counterseal.nginx.lint.rule import Rule

WIDTH = 100
_TAB = "    "


def show_result(result: LintResult, texts: Mapping[str, str]) -> str:
    """Return every finding with its line, and the sum at the end."""
    lines = {file: texts[file].split("\n") for file in {one.place.file for one in result.found} if file in texts}
    blocks = ["\n".join(_finding(located, lines.get(located.place.file, []))) for located in result.found]
    return "\n\n".join([*blocks, _sum(result)])


def show_rules(rules: tuple[Rule, ...]) -> str:
    """Return one line a rule, the worst first."""
    ordered = sorted(rules, key=lambda rule: (-rule.severity, rule.code))
    width = max(len(rule.code) for rule in rules)
    return "\n".join(f"{rule.severity.name.lower():<8}  {rule.code:<{width}}  {rule.summary}" for rule in ordered)


def explain_rule(rule: Rule) -> str:
    """Return everything about one rule."""
    parts = [
        f"{rule.code} ({rule.severity.name.lower()})",
        rule.summary,
        f"Seen: {rule.evidence}",
        f"Instead: {rule.remedy}",
        f"nginx: {'; '.join(map(str, rule.affected)) or 'every version'}",
        f"See: {rule.reference}",
    ]
    return "\n\n".join(textwrap.fill(part, WIDTH, break_long_words=False, break_on_hyphens=False) for part in parts)


def _finding(located: Located, lines: Sequence[str]) -> Iterator[str]:
    finding, place = located.finding, located.place
    yield f"{place}: {finding.severity.name.lower()}: {_printable(finding.message)} [{finding.code}]"
    if place.line <= len(lines):
        line = lines[place.line - 1].rstrip("\r")
        shown, before = _printable(line), _printable(line[: place.column - 1])
        marked = _printable(line[place.column - 1 : place.column - 1 + place.length])
        number = str(place.line)
        yield f"  {number} | {shown}"
        yield f"  {' ' * len(number)} | {' ' * len(before)}^{'~' * (len(marked) - 1)}"
    yield textwrap.fill(
        finding.hint or "", WIDTH, initial_indent="  hint: ", subsequent_indent="        ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _printable(text: str) -> str:
    """Return the text with nothing in it that a terminal would obey."""
    return "".join(one if one.isprintable() else "?" for one in text.replace("\t", _TAB))


def _sum(result: LintResult) -> str:
    counts = Counter(finding.severity for finding in result.findings)
    words = [
        f"{counts[severity]} {severity.name.lower()}" for severity in sorted(Severity, reverse=True) if counts[severity]
    ]
    total = len(result.found)
    text = f"{total} finding{'' if total == 1 else 's'}: {', '.join(words)}" if total else "nothing found"
    fixable = sum(bool(located.edits) for located in result.found)
    text += f"; --fix mends {fixable}" if fixable else ""
    return text + (f"; {result.silenced} silenced by comments" if result.silenced else "")
