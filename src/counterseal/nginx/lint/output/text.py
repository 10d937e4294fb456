"""Findings for people: place, severity and code, the line itself with what is meant underlined, and what mends it."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import SUGGESTED, Applicability
from counterseal.nginx.lint.patch import hide_keys
from counterseal.pki.shown import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from counterseal.nginx.lint.engine import LintResult, Located
    from counterseal.nginx.lint.fix import Fix
    from counterseal.nginx.lint.rule import Rule

WIDTH = 100
_TAB = "    "
_LEAST = 20
"""Columns of a source line that are shown however narrow the terminal is."""


def show_result(result: LintResult, texts: Mapping[str, str], *, width: int = WIDTH) -> str:
    """Return every finding with its line and what mends it, and the sum at the end; ``width`` in columns."""
    files = {one.place.file for one in result.found} & texts.keys()
    lines = {file: hide_keys(texts[file]).split("\n") for file in files}
    blocks = ["\n".join(_finding(located, lines.get(located.place.file, []), width)) for located in result.found]
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
        f"Fix: {show_fixes(rule)}",
        f"nginx: {'; '.join(map(str, rule.affected)) or 'every version'}",
        f"See: {rule.reference}",
    ]
    return "\n\n".join(textwrap.fill(part, WIDTH, break_long_words=False, break_on_hyphens=False) for part in parts)


def show_fixes(rule: Rule) -> str:
    """Return the kinds of fix that a rule has, with its command."""
    return ", or ".join(f"{kind} ({rule.command})" if kind == Applicability.COMMAND else kind for kind in rule.fixes)


def _finding(located: Located, lines: Sequence[str], width: int) -> Iterator[str]:
    finding, place = located.finding, located.place
    yield f"{place}: {finding.severity.name.lower()}: {_printable(finding.message)} [{finding.code}]"
    if place.line <= len(lines):
        line = lines[place.line - 1].rstrip("\r")
        shown, before = _printable(line), _printable(line[: place.column - 1])
        marked = _printable(line[place.column - 1 : place.column - 1 + place.length])
        number = str(place.line)
        room = max(width - len(f"  {number} | "), _LEAST)
        start = max(0, min(len(before), len(before) + len(marked) - room))
        yield f"  {number} | {shown[start : start + room]}"
        yield f"  {' ' * len(number)} | {' ' * (len(before) - start)}^{'~' * min(len(marked) - 1, room - 1)}"
    yield _wrapped("hint", finding.hint or "", width)
    if located.fix is not None:
        yield _wrapped("fix", _printable(_mending(located.fix)), width)


def _mending(fix: Fix) -> str:
    if fix.command:
        return f"run: {fix.command}"
    return f"--fix suggests one; it needs a decision: {fix.decision}" if fix.decision else "--fix --write makes it"


def _wrapped(label: str, text: str, width: int) -> str:
    first, rest = f"  {label}: ", " " * len("  hint: ")
    return textwrap.fill(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _printable(text: str) -> str:
    """Return the text with nothing in it that a terminal would obey."""
    return "".join(one if one.isprintable() else "?" for one in text.replace("\t", _TAB))


def _sum(result: LintResult) -> str:
    counts = Counter(finding.severity for finding in result.findings)
    words = [
        f"{counts[severity]} {severity.name.lower()}" for severity in sorted(Severity, reverse=True) if counts[severity]
    ]
    total = len(result.found)
    text = f"{counted(total, 'finding')}: {', '.join(words)}" if total else "nothing found"
    kinds_by_verb = {"mends": (Applicability.MACHINE_APPLICABLE,), "suggests": SUGGESTED}
    numbers = ((verb, sum(one.has(*kinds) for one in result.found)) for verb, kinds in kinds_by_verb.items())
    fixed = ", ".join(f"{verb} {count}" for verb, count in numbers if count)
    text += f"; --fix {fixed}" if fixed else ""
    return text + (f"; {result.silenced} silenced by comments" if result.silenced else "")
