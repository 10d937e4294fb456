"""``counterseal doctor``."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

import click

from counterseal.authority.doctor.check import Check, State, worst_of
from counterseal.cli.common import Run, common
from counterseal.cli.completions import complete_sites
from counterseal.cli.exit_codes import DONE, FAILED, FINDINGS
from counterseal.cli.terminal import terminal_width
from counterseal.compose.doctor import examine
from counterseal.pki.shown import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counterseal.cli.documents import DoctorCheck, DoctorDocument

EXIT_CODES = {State.OK: DONE, State.ATTENTION: FINDINGS, State.BROKEN: FAILED}
_COLORS = {State.OK: "green", State.ATTENTION: "yellow", State.BROKEN: "red"}
_NARROWEST = 24
"""Columns of a message beside its line's name, on however narrow a terminal."""
EPILOG = """\b
Examples:
  counterseal doctor
  counterseal doctor panel
  counterseal doctor --no-proof --json        for a monitoring check that has no passphrase
  counterseal doctor --deep                   reads a store of any size

Exit codes: 0 all is well, 3 something needs attention, 1 something is broken.
"""


@click.command(epilog=EPILOG)
@click.argument("site", required=False, shell_complete=complete_sites)
@click.option("--proof/--no-proof", default=True, help="Try the sites with real handshakes; needs the CA keys.")
@click.option("--deep", is_flag=True, help="Read every page of the store and the whole log, however large.")
@common
def doctor(run: Run, *, site: str | None, proof: bool, deep: bool) -> int:
    """Say on one page whether all is well, and what mends what is not.

    Configuration, store, keys, CAs, lists and certificates by the time they have left, clock, timer, nginx and the
    generation that it serves, the upstreams of its sites, the linter's findings, and the proof. With SITE only of the
    nginx part of that site.
    """
    checks = examine(run.home, run.ask_passphrase, site=site, prove=proof, deep=deep)
    state = worst_of(checks)
    lines: list[DoctorCheck] = [
        {"check": c.topic, "subject": c.subject or None, "state": c.state, "message": c.message, "mend": c.mend}
        for c in checks
    ]
    document: DoctorDocument = {"state": state, "checks": lines}
    run.show(document, "\n".join(_page(checks, state)))
    return EXIT_CODES[state]


def _page(checks: Sequence[Check], state: State) -> Iterator[str]:
    names = [f"{check.topic} {check.subject}".strip() for check in checks]
    width, indent = max(map(len, names)), max(map(len, State)) + 2
    room = (terminal_width() or sys.maxsize) - indent - width - 2
    for name, check in zip(names, checks, strict=True):
        told = click.style(f"{check.state:<{indent}}", fg=_COLORS[check.state])
        first, *more = _wrapped(printable(check.message), room)
        yield f"{told}{printable(name):<{width}}  {first}"
        if check.mend and check.state is not State.OK:
            more += _wrapped(f"mend: {check.mend}", room)
        yield from (f"{'':{indent + width}}  {line}" for line in more)
    yield click.style(_verdict(checks, state), bold=True)


def _wrapped(text: str, room: int) -> list[str]:
    """Return the lines of a column; words are never broken, so that a path or a command can be copied."""
    return textwrap.wrap(text, max(room, _NARROWEST), break_long_words=False, break_on_hyphens=False) or [""]


def _verdict(checks: Sequence[Check], state: State) -> str:
    if state is State.OK:
        return f"all is well, {len(checks)} lines ok"
    counts = {one: sum(check.state is one for check in checks) for one in State}
    needs = "needs" if counts[State.ATTENTION] == 1 else "need"
    return f"{counts[State.BROKEN]} broken, {counts[State.ATTENTION]} {needs} attention, {counts[State.OK]} ok"
