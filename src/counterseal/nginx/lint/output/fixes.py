"""What ``--fix`` prints: a patch that applies, and behind it, as comments of that patch, what is left to somebody.

``patch`` and ``git apply`` pass comments over, so that the whole output can be handed to them: only what is right as it
stands, and what was accepted, is taken. Without its ``# `` a suggestion is a patch, too.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.nginx.lint.edit import apply_edits, choose_edits
from counterseal.nginx.lint.fix import SUGGESTED, Applicability
from counterseal.nginx.lint.patch import show_patch
from counterseal.pki.shown import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from counterseal.nginx.lint.engine import LintResult, Located


def show_left(left: Sequence[Located], texts: Mapping[str, str]) -> str:
    """Return every suggestion with its diff, and the commands, as comments; one block for the findings of a rule."""
    blocks = [_block(group, texts) for group in _by_rule(left)]
    lines = [line for block in blocks for line in (*block, "")]
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)


def left_to_json(left: Sequence[Located], texts: Mapping[str, str]) -> list[dict[str, object]]:
    """Return the same as documents: what is left of each rule, its places, and the diff or the commands."""
    return [
        {
            "code": group[0].rule.code,
            "applicability": _kind(group[0]),
            "places": [str(one.place) for one in group],
            "decisions": _decisions(group),
            "commands": list(dict.fromkeys(one.fix.command for one in group if one.fix and one.fix.command)),
            "patch": _patch(group, texts),
        }
        for group in _by_rule(left)
    ]


def count_left(left: Sequence[Located]) -> str:
    """Return in a line how many findings are left, and why."""
    words = {
        Applicability.MAYBE_INCORRECT: "a decision",
        Applicability.HAS_PLACEHOLDERS: "a placeholder to be filled in",
        Applicability.COMMAND: "a command",
        "": "somebody to look",
    }
    kinds = [_kind(one) for one in left]
    counts = [f"{kinds.count(kind)} for {word}" for kind, word in words.items() if kind in kinds]
    return f"{len(left)} left: {', '.join(counts)}"


def _block(group: Sequence[Located], texts: Mapping[str, str]) -> Iterator[str]:
    first = group[0]
    summary = first.rule.summary.removesuffix(".")
    places = [printable(f"  {one.place}: {one.finding.message}") for one in group]
    if first.has(Applicability.COMMAND):
        yield f"to be mended by a command: {summary} [{first.rule.code}]"
        yield from places
        yield from dict.fromkeys(printable(f"  run: {one.fix.command}") for one in group if one.fix)
        return
    if not first.has(*SUGGESTED):
        yield f"left to you: {first.rule.remedy} [{first.rule.code}]"
        yield from places
        return
    yield f"suggested: {summary} [{first.rule.code}, {_kind(first)}]"
    yield from places
    yield from (printable(f"  needs a decision: {decision}") for decision in _decisions(group))
    yield from _patch(group, texts).removesuffix("\n").split("\n")  # as patch parts lines, and at nothing else


def _patch(group: Sequence[Located], texts: Mapping[str, str]) -> str:
    edits = choose_edits(one.fix.edits for one in group if one.fix)
    return show_patch(texts, apply_edits(texts, edits))


def _by_rule(left: Sequence[Located]) -> Iterator[list[Located]]:
    """Yield what is left in groups of one rule and kind: suggestions first, then commands."""
    order = [*SUGGESTED, Applicability.COMMAND, ""]
    ordered = sorted(left, key=lambda one: (order.index(_kind(one)), one.rule.code))
    for _, group in groupby(ordered, key=lambda one: (_kind(one), one.rule.code)):
        yield list(group)


def _kind(one: Located) -> str:
    return one.fix.applicability if one.fix is not None else ""


def _decisions(group: Sequence[Located]) -> list[str]:
    return list(dict.fromkeys(one.fix.decision for one in group if one.fix and one.fix.decision))


def refuse_placeholders(left: Sequence[Located], accepted: frozenset[str]) -> None:
    """Raise InputError ``nginx.placeholder`` where a suggestion was accepted that nobody can write as it is."""
    for one in left:
        if one.rule.code in accepted and one.fix is not None and one.fix.placeholders:
            hint = "save what --fix prints, take the # away from this suggestion, fill it in, and hand it to patch"
            message = f"cannot write a placeholder: {one.fix.placeholders[0]} of {one.rule.code}"
            raise InputError("nginx.placeholder", message, hint=hint)


def left_by(result: LintResult, accepted: frozenset[str]) -> list[Located]:
    """Return the findings that stay: those without a fix that is taken."""
    taken = {id(one) for one in result.fixed_by(accepted)}
    return [one for one in result.found if id(one) not in taken]
