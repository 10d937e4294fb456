"""A handshake explained on a terminal: heading, ladder, keys, certificates, verdict."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from counterseal.handshake.explain.modes import MODE_WORDS, Mode
from counterseal.handshake.verdict import describe
from counterseal.handshake.wire.messages import Side
from counterseal.handshake.wire.numbers import VERSIONS, explain_group, name_of
from counterseal.handshake.wire.suites import CIPHER_SUITES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.handshake.explain.explanation import Explanation
    from counterseal.handshake.explain.ladder import Rung

_WIDTH = 110
_ARROWS = {Side.CLIENT: "-->", Side.SERVER: "<--"}
_INDENT = " " * 8
_LONG, _FIRST = 140, 4


def show_explanation(explanation: Explanation, *, verbose: bool = False) -> str:
    """Return the whole explanation as text; long values are cut unless ``verbose``."""
    parts = [
        _heading(explanation),
        "\n".join(show_ladder(explanation.ladder, verbose=verbose)),
        *_resumed(explanation, verbose=verbose),
        *_keys(explanation),
        *_matches(explanation),
        _verdict(explanation),
    ]
    return "\n\n".join(part for part in parts if part)


def _resumed(explanation: Explanation, *, verbose: bool) -> list[str]:
    if explanation.resumed is None:
        return []
    return [
        "a second time, with the session of the first:",
        "\n".join(show_ladder(explanation.resumed, verbose=verbose)),
    ]


def show_ladder(rungs: Sequence[Rung], *, verbose: bool = False) -> list[str]:
    """Return the lines of a ladder, one message a block; an arrow points from the client to the server or back."""
    lines = []
    for number, rung in enumerate(rungs, 1):
        size = f"{rung.size} bytes" if rung.size is not None else ""
        at = f"{rung.at * 1000:.1f} ms" if rung.at is not None else ""
        mark = "!" if rung.alarming else " "
        lines.append(f"{number:3} {mark}{_ARROWS[rung.sender]} {rung.name:<22} {size:>11} {at:>10}".rstrip())
        for label, value in rung.fields:
            lines += _wrapped(f"{label}: {value if verbose else shorten(value)}", " " * 12)
        lines += _wrapped(f"{rung.meaning}{f' [{rung.section}]' if rung.section else ''}", _INDENT)
    return lines


def shorten(value: str) -> str:
    """Return a long list with its first items, and how many are left out."""
    items = value.split(", ")
    if len(value) <= _LONG or len(items) <= _FIRST:
        return value
    return f"{', '.join(items[:_FIRST])} and {len(items) - _FIRST} more"


def _heading(explanation: Explanation) -> str:
    what, main = explanation.examination.what, explanation.examination.main
    story = main.story
    name = what.server_name or "no server name"
    place = f"{name} at {main.trace.peer or what.endpoint}"
    if story.version is None:
        return place
    agreed = [name_of(VERSIONS, story.version), name_of(CIPHER_SUITES, story.cipher_suite or 0)]
    agreed += [explain_group(story.group)] if story.group is not None else []
    return f"{place}: {', '.join(agreed)}"


def _keys(explanation: Explanation) -> list[str]:
    derivation = explanation.derivation
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


def _matches(explanation: Explanation) -> list[str]:
    if not explanation.matches:
        return []
    lines = ["your certificates against what the server asks for"]
    for match in explanation.matches:
        word = "fits" if match.fits else "does not fit"
        browser = "" if match.offered_by_browser else "; a browser would not even offer it"
        lines += _wrapped(f"{match.name} ({match.subject}): {word}{browser}", "  ")
        lines += [line for reason in match.reasons for line in _wrapped(f"- {reason}", "    ")]
    return ["\n".join(lines)]


def _verdict(explanation: Explanation) -> str:
    lines = []
    if explanation.mode is not Mode.UNKNOWN:
        lines.append(MODE_WORDS[explanation.mode])
        for visit in explanation.visits:
            who = "with a certificate" if visit.with_certificate else "without a certificate"
            lines.append(f"  {visit.path} {who}: {describe(visit.seen)}")
        lines.append("")
    found = explanation.diagnosis
    if found is None:
        return "\n".join(lines).rstrip()
    rows = [("failed", found.happened), ("cause", found.cause), ("fix", found.fix), ("verify", found.verify or "")]
    if found.code:
        rows.append(("nginx code", str(found.code)))
    if found.directive:
        rows.append(("directive", found.directive))
    if found.log:
        rows.append(("error.log", f'"{found.log.text}", written at level {found.log.level}'))
    lines += [line for label, value in rows if value for line in _wrapped(f"{label}: {value}", "")]
    return "\n".join(lines)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=True,
        break_on_hyphens=False,
    )
