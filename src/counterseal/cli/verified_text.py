"""A verified certificate on a terminal: the path as a tree with every check, the verdict, and what others say."""

from __future__ import annotations

import sys
import textwrap
from itertools import groupby
from typing import TYPE_CHECKING

import click

from counterseal.authority.verification_words import nginx_words, openssl_words, opinion_words
from counterseal.cli.terminal import text_width
from counterseal.pki.names import show_name
from counterseal.pki.path.catalogue import KINDS
from counterseal.pki.path.check import Outcome
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cryptography import x509

    from counterseal.authority.verification import Verified
    from counterseal.pki.path.check import Check
    from counterseal.pki.path.explain import PathReport

_MARGIN = 4
_NO_BREAK = "\xa0"
_MARKS = {
    Outcome.PASS: ("✓", "ok  "),
    Outcome.WARN: ("!", "!   "),
    Outcome.FAIL: ("✗", "FAIL"),
    Outcome.SKIP: ("-", "-   "),
}
_COLOURS = {Outcome.PASS: "green", Outcome.WARN: "yellow", Outcome.FAIL: "red", Outcome.SKIP: None}


def show_verified(verified: Verified, *, brief: bool = False, every_path: bool = False) -> str:
    """Return everything as text; ``brief`` leaves the checks out that passed, ``every_path`` shows all paths whole."""
    paths = verified.explanation.paths
    shown = paths if every_path else paths[:1]
    parts = [
        "\n".join(_heading(verified)),
        *("\n".join(_path(number, report, len(paths), brief=brief)) for number, report in enumerate(shown, 1)),
        "\n".join(_tried(paths[len(shown) :], len(shown))),
        "\n".join(_verdict(verified)),
        "\n".join(_others(verified)),
    ]
    return "\n\n".join(part for part in parts if part)


def _heading(verified: Verified) -> Iterator[str]:
    given = verified.given
    named = f" named {', '.join(show_name(name) for name in given.names)}" if given.names else ""
    yield f"{_subject(given.chain[0])} as a {given.purpose}{named}, at {given.at:%Y-%m-%d %H:%M:%S} UTC"
    yield f"trusted: {given.trusted_by}"


def _path(number: int, report: PathReport, count: int, *, brief: bool) -> Iterator[str]:
    """From the anchor down to the end entity, each certificate one step further in."""
    yield f"path {number} of {count}" if count > 1 else "path"
    top = len(report.certificates) - 1
    for position in range(top, -1, -1):
        role = "end entity" if position == 0 else "trust anchor" if position == top and report.anchored else "CA"
        indent = "   " * (top - position)
        yield f"{indent[3:]}{_corner() if position < top else ''}{_subject(report.certificates[position])} ({role})"
        yield from _checks(
            (check for check in report.checks if check.position == position), f"{indent}   ", brief=brief
        )
    yield from _checks((check for check in report.checks if check.position is None), "", brief=brief)


def _corner() -> str:
    return "└─ " if _is_unicode() else "`- "


def _subject(certificate: x509.Certificate) -> str:
    return show_subject(certificate.subject) or "(no subject)"


def _checks(checks: Iterator[Check], indent: str, *, brief: bool) -> Iterator[str]:
    for check in checks:
        if not (brief and check.outcome is Outcome.PASS):
            yield from _check(check, indent)


def _check(check: Check, indent: str, where: str = "") -> Iterator[str]:
    section = f"[{check.where_written}]".replace(" ", _NO_BREAK)
    text = f"{check.kind.title}{where}: {check.message} {section}"
    first, *rest = textwrap.wrap(text, text_width() - len(indent) - _MARGIN, break_on_hyphens=False)
    yield f"{indent}{_mark(check.outcome)} {first.replace(_NO_BREAK, ' ')}"
    yield from (f"{indent}{'':{_MARGIN}}{line.replace(_NO_BREAK, ' ')}" for line in rest)


def _tried(others: Sequence[PathReport], before: int) -> Iterator[str]:
    for number, report in enumerate(others, before + 1):
        names = " < ".join(map(_subject, report.certificates))
        end = "" if report.anchored else " (leads to no anchor)"
        yield f"also tried, path {number}: {names}{end}"
        for check in report.failures:
            yield from _check(check, "   ")


def _verdict(verified: Verified) -> Iterator[str]:
    report = verified.explanation.best
    word = click.style("valid", fg="green") if verified.valid else click.style("not valid", fg="red")
    yield click.style("verdict: ", bold=True) + word + _counts(report)
    counted = (*report.failures, *report.warnings) if verified.given.strict else report.failures
    for kind, checks in groupby(sorted(counted, key=lambda check: KINDS.index(check.kind)), lambda check: check.kind):
        fixes = []
        for check in checks:
            yield from _check(check, "  ", where=_where(check, report))
            fixes += [check.fix or kind.fix]
        for line in (f"means: {kind.meaning}", *(f"fix: {fix}" for fix in dict.fromkeys(fixes))):
            yield from textwrap.wrap(line, text_width(), initial_indent="      ", subsequent_indent="        ")


def _where(check: Check, report: PathReport) -> str:
    return "" if check.position is None else f" of {_subject(report.certificates[check.position])}"


def _counts(report: PathReport) -> str:
    made = sum(check.outcome is not Outcome.SKIP for check in report.checks)
    failed, odd = len(report.failures), len(report.warnings)
    return f" ({made} checks, {failed} failed{f', {odd} odd' if odd else ''})"


def _others(verified: Verified) -> Iterator[str]:
    for line in (*opinion_words(verified), *openssl_words(verified), *nginx_words(verified)):
        yield from textwrap.wrap(line, text_width(), subsequent_indent="  ", break_on_hyphens=False)


def _mark(outcome: Outcome) -> str:
    return click.style(_MARKS[outcome][0 if _is_unicode() else 1], fg=_COLOURS[outcome])


def _is_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") in {"utf8", "utf16"}
