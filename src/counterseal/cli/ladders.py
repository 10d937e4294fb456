"""A handshake explained on a terminal: heading, ladder, keys, certificates, verdict."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from counterseal.cli.terminal import text_width
from counterseal.handshake.explain.fields import shorten
from counterseal.handshake.wire.messages import Side
from counterseal.pki.path.check import Check, Outcome
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.handshake.explain.derivation import Derivation
    from counterseal.handshake.explain.ladder import Rung
    from counterseal.handshake.explain.matching import Match
    from counterseal.handshake.explain.sheet import Sheet
    from counterseal.pki.path.explain import PathReport

_ARROWS = {Side.CLIENT: "-->", Side.SERVER: "<--"}
_INDENT = " " * 8


def show_sheet(sheet: Sheet, *, verbose: bool = False, brief: bool = False) -> str:
    """Return all of it as text; long values are cut and passed checks folded unless ``verbose``.

    ``brief`` leaves a line for each message, the checks that did not pass, and the verdict.
    """
    place = f"{sheet.server[0]} at {sheet.server[1]}"
    heading = f"{place}: {', '.join(sheet.agreed)}" if sheet.agreed else place
    if brief:
        rungs = (*sheet.ladder, *(sheet.resumed or ()))
        ladder = [_message(number, rung) for number, rung in enumerate(rungs, 1)]
        checks = [_unpassed(title, report) for title, report in sheet.checks]
        matches = _matches(sheet.matches, sheet.more_matches)
        return "\n\n".join(part for part in (heading, "\n".join(ladder), *checks, *matches, _verdict(sheet)) if part)
    parts = [
        heading,
        "\n".join(show_ladder(sheet.ladder, verbose=verbose)),
        *_resumed(sheet, verbose=verbose),
        *_keys(sheet.derivation),
        *(_checks(title, report, verbose=verbose) for title, report in sheet.checks),
        *_matches(sheet.matches, sheet.more_matches),
        _verdict(sheet),
    ]
    return "\n\n".join(part for part in parts if part)


def _resumed(sheet: Sheet, *, verbose: bool) -> list[str]:
    if sheet.resumed is None:
        return []
    ladder = show_ladder(sheet.resumed, verbose=verbose)
    return ["a second time, with the session of the first:", "\n".join(ladder)]


def show_ladder(rungs: Sequence[Rung], *, verbose: bool = False) -> list[str]:
    """Return the lines of a ladder, one message a block; an arrow points from the client to the server or back."""
    lines = []
    for number, rung in enumerate(rungs, 1):
        lines.append(_message(number, rung))
        for label, value in rung.fields:
            lines += _wrapped(f"{label}: {value if verbose else shorten(value)}", " " * 12)
        lines += _wrapped(f"{rung.meaning}{f' [{rung.section}]' if rung.section else ''}", _INDENT)
    return lines


def _message(number: int, rung: Rung) -> str:
    size = f"{rung.size} bytes" if rung.size is not None else ""
    at = f"{rung.at * 1000:.1f} ms" if rung.at is not None else ""
    mark = "!" if rung.alarming else " "
    return f"{number:3} {mark}{_ARROWS[rung.sender]} {rung.name:<22} {size:>11} {at:>10}".rstrip()


def _keys(derivation: Derivation | None) -> list[str]:
    if derivation is None:
        return []
    lines = [f"both sides derive the session keys from [{derivation.section}]"]
    for number, step in enumerate(derivation.steps, 1):
        lines += _wrapped(f"{number}. {step}", "  ")
    lines.append(
        "  a key stolen later does not open what was recorded: forward secrecy"
        if derivation.forward_secret
        else "  no forward secrecy: who gets the server's key or the session later can read what was recorded"
    )
    if not derivation.post_quantum:
        lines.append("  not post-quantum: a quantum computer could open what was recorded")
    return ["\n".join(lines)]


def _checks(title: str, report: PathReport, *, verbose: bool) -> str:
    """Return the checks of a path: outcome, what was compared, and the section; a failed one with its fix."""
    path = " < ".join(show_subject(certificate.subject) or "(no subject)" for certificate in report.certificates)
    lines = [f"{title}: {'all pass' if report.valid else 'FAILS'}", *_wrapped(f"path: {path}", "  ")]
    folded = []
    for check in report.checks:
        if check.outcome is Outcome.PASS and not verbose and check.kind.code not in _TELLING:
            folded.append(check.kind.title)
        else:
            lines += _check(check)
    if folded:
        lines += _wrapped(f"ok   {', '.join(dict.fromkeys(folded))} (--verbose shows them)", "  ")
    return "\n".join(lines)


def _unpassed(title: str, report: PathReport) -> str:
    told = [line for one in report.checks if one.outcome in {Outcome.WARN, Outcome.FAIL} for line in _check(one)]
    return "\n".join([f"{title}: {'all pass' if report.valid else 'FAILS'}", *told])


def _check(check: Check) -> list[str]:
    place = "" if check.position is None else f"{check.position}: "
    text = f"{_OUTCOMES[check.outcome]} {check.kind.title}: {place}{check.message} [{check.where_written}]"
    lines = _wrapped(text, "  ")
    if check.failed:
        lines += _wrapped(check.kind.meaning, " " * 12)
        lines += _wrapped(f"fix: {check.fix}", " " * 12) if check.fix else []
    return lines


_TELLING = frozenset({"accepted_ca", "trust_anchor", "signature", "validity", "extended_key_usage", "name"})
_OUTCOMES = {Outcome.PASS: "ok  ", Outcome.WARN: "warn", Outcome.FAIL: "FAIL", Outcome.SKIP: "-   "}


def _matches(matches: Sequence[Match], more: int) -> list[str]:
    if not matches:
        return []
    lines = ["client certificates against what the server asks for"]
    for match in matches:
        word = "fits" if match.fits else "does not fit"
        browser = "" if match.offered_by_browser else "; a browser would not even offer it"
        lines += _wrapped(f"{match.name} ({match.subject}): {word}{browser}", "  ")
        lines += [line for reason in match.reasons for line in _wrapped(f"- {reason}", "    ")]
    lines += [f"  and {more} more (--json has them all)"] if more else []
    return ["\n".join(lines)]


def _verdict(sheet: Sheet) -> str:
    lines = _wrapped(sheet.heading, "")
    for label, value in sheet.rows:
        lines += [""] if label == "failed" else []
        lines += _wrapped(f"{label}: {value}", "")
    return "\n".join(lines)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        text_width(),
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=True,
        break_on_hyphens=False,
    )
