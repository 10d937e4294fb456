"""``counterseal db``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from counterseal.cli.common import FILE, Commands, Run, columns, common
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.files import preview
from counterseal.pki.shown import counted

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.compose.moving import Moved, PlannedMove

EPILOG = """\b
Examples:
  counterseal db upgrade
  counterseal db move postgresql://counterseal@db.corp.example/counterseal
  counterseal db move sqlite
"""


@click.group(cls=Commands, epilog=EPILOG)
def db() -> None:
    """Move the store to another database, or bring it to a newer schema."""


@db.command(epilog="\b\nExamples:\n  counterseal db upgrade")
@dry_run_option
@common
def upgrade(run: Run, *, dry_run: bool) -> None:
    """Bring the store to the schema of this program, in one transaction; make a backup before.

    A store in a file is brought up when it is opened; in PostgreSQL this must be asked for, because other hosts may run
    an older program. A store that a newer program has made is refused.
    """
    from counterseal.compose.moving import plan_upgrade  # noqa: PLC0415 - loads a database
    from counterseal.compose.moving import upgrade as upgrade_store  # noqa: PLC0415 - same

    if dry_run:
        place, missing = plan_upgrade(run.home)
        acts = [f"change the schema of {place}: {step}" for step in missing]
        acts = acts or [f"do nothing: {place} has this program's schema"]
        show_dry_run(run, acts=acts, document={"store": place})
        return
    place, before, now = upgrade_store(run.home)
    told = f"{place} has schema {now} already" if before == now else f"{place}: schema {before} is now {now}"
    run.show({"store": place, "before": before, "now": now}, told)


@db.command(
    epilog="\b\nExamples:\n  counterseal db move postgresql://counterseal@db/counterseal\n  counterseal db move sqlite"
)
@click.argument("to", metavar="URL")
@click.option(
    "--password-file",
    type=FILE,
    help="File with the password of the database (0600).",
)
@dry_run_option
@common
def move(run: Run, *, to: str, password_file: Path | None, dry_run: bool) -> None:
    """Move the store to the PostgreSQL database at URL, which must be empty, or to a file: sqlite.

    All or nothing: every table is counted and hashed as it is read and as it is read back, and the log of key uses is
    verified, before counterseal.toml names the new place. Nobody goes on with the old store then: a counterseal serve
    that has it open answers nothing more and ends, and does not start where counterseal.toml names the old place.
    """
    from counterseal.compose.moving import move as move_store  # noqa: PLC0415 - loads a database
    from counterseal.compose.moving import plan_move  # noqa: PLC0415 - same

    if dry_run:
        planned = plan_move(run.home, to, password_file)
        acts = [f"copy {counted(sum(one.rows for one in planned.tables), 'row')} of {planned.before} to {planned.now}"]
        acts += [f"put the old file aside as {planned.aside}"] if planned.aside else []
        show_dry_run(run, acts=acts, files=preview(planned.directory, planned.files), document=_document(planned))
        return
    moved = move_store(run.home, to, password_file)
    rows = [(one.table, f"{one.rows:,}", one.hash[:16]) for one in moved.tables]
    lines = [columns(rows, titles=("TABLE", "ROWS", "HASH")), f"moved {moved.before} to {moved.now}"]
    lines += [f"  the old file is {moved.aside}; keep it until the next backup"] if moved.aside else []
    run.show(
        _document(moved),
        "\n".join([*lines, "next: see that what serves this CA has started again, on every host; counterseal doctor"]),
    )


def _document(move: Moved | PlannedMove) -> dict[str, Any]:
    tables = [{"table": one.table, "rows": one.rows, "hash": one.hash} for one in move.tables]
    return {"before": move.before, "now": move.now, "aside": move.aside, "tables": tables}
