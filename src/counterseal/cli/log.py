"""``counterseal log``."""

from __future__ import annotations

import click

from counterseal.authority.record_json import key_use_to_json, verification_to_json
from counterseal.cli.common import Commands, Run, columns, common
from counterseal.cli.exit_codes import FINDINGS
from counterseal.moments import moment
from counterseal.pki.shown import show_serial
from counterseal.store.key_uses import parse_head, show_head

EPILOG = """\b
Examples:
  counterseal log show
  counterseal log verify
"""


@click.group(cls=Commands, epilog=EPILOG)
def log() -> None:
    """Show or verify the log of every use of a CA key."""


@log.command("show", epilog="\b\nExamples:\n  counterseal log show --limit 20\n  counterseal log show --after 0 --json")
@click.option("--after", type=click.IntRange(0), help="Those after this sequence number.  [default: the newest]")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Entries at most.")
@common
def show(run: Run, *, after: int | None, limit: int) -> None:
    """Show who used which CA key for what."""
    with run.authority() as authority:
        begin = max(authority.store.key_use_head().sequence - limit, 0) if after is None else after
        uses = list(authority.store.key_uses(after=begin, limit=limit))
    rows = [
        (
            str(use.sequence),
            f"{moment(use.at):%Y-%m-%d %H:%M:%S}",
            use.actor,
            use.ca,
            use.action,
            show_serial(use.serial_number) if use.serial_number else "",
        )
        for use in uses
    ]
    run.show(
        {"key_uses": [key_use_to_json(use) for use in uses]},
        columns(rows, titles=("NO", "AT (UTC)", "WHO", "CA", "WHAT", "SERIAL")),
    )


@log.command(
    "verify",
    epilog="\b\nExamples:\n  counterseal log verify\n  counterseal log verify --anchor 1204:5f0c...\n"
    "  journalctl -u counterseal-refresh | grep 'log of CA keys'",
)
@click.option(
    "--anchor",
    metavar="NUMBER:HASH",
    help="A head that was noted elsewhere: it must be in the log, which then is what it was up to there.",
)
@common
def verify(run: Run, *, anchor: str | None) -> int:
    """Find any edit of the log by its chain of hashes and by what certificates and CAs know of it.

    Who can rewrite these too is found by --anchor alone. The head, which is one, is printed here and by each refresh.
    """
    noted = None if anchor is None else parse_head(anchor)
    with run.authority() as authority:
        verified = authority.store.verify_key_uses(anchor=noted)
    lines = [f"{finding.where}: {finding.message}" for finding in verified.findings]
    if verified.head is not None and not lines:
        lines = ["the log is intact" + (f", and has entry {noted.sequence} as noted" if noted else "")]
        lines.append(f"head: {show_head(verified.head)}")
    run.show(verification_to_json(verified), "\n".join(lines))
    return FINDINGS if verified.findings else 0
