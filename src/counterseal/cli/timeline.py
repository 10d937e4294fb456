"""``counterseal timeline``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from counterseal.authority.timeline.gather import gather
from counterseal.cli.common import PICTURE, Run, common
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.cli.room import require_places
from counterseal.cli.terminal import terminal_width
from counterseal.cli.timeline_text import drawing, table
from counterseal.files import preview, write_file
from counterseal.fileset import FileSet, PlannedFile

if TYPE_CHECKING:
    from counterseal.authority.timeline.gather import Span, Timeline
    from counterseal.cli import documents

EPILOG = """\b
Examples:
  counterseal timeline
  counterseal timeline --limit 30
  counterseal timeline --svg expiry.svg        a picture for a wiki or a mail
  counterseal timeline | grep due              a plain table, when nobody looks at it

Time runs logarithmically: a list of a week and a root of ten years are both seen. Of many certificates
those that expire next are drawn one by one, and all are counted by when they expire.
"""


@click.command(epilog=EPILOG)
@click.option(
    "--limit", type=click.IntRange(0, 1000), default=10, show_default=True, help="Certificates drawn one by one."
)
@click.option("--svg", type=PICTURE, help="Write the picture to this file.")
@click.option("--width", type=click.IntRange(60, 400), help="Draw in so many columns, also into a pipe.")
@dry_run_option
@common
def timeline(run: Run, *, limit: int, svg: Path | None, width: int | None, dry_run: bool) -> None:
    """Draw what expires when: CAs, revocation lists, sites and certificates."""
    sites = run.sound_sites()
    with run.authority() as authority:
        gathered = gather(authority, sites, limit=limit)
    picture = FileSet() if svg is None else FileSet((_picture(gathered, svg),))
    if dry_run:
        require_places(Path(file.path) for file in picture)
        show_dry_run(run, acts=["draw what expires when"], files=preview(Path(), picture))
        return
    for file in picture:
        write_file(Path(file.path), file.content, mode=file.mode)
        run.say(f"wrote {file.path}")
    columns = width or terminal_width()
    text = drawing(gathered, width=columns) if columns else table(gathered)
    run.show(_document(gathered, svg), text)


def _picture(gathered: Timeline, path: Path) -> PlannedFile:
    from counterseal.authority.timeline.svg import to_svg  # noqa: PLC0415 - only for the picture

    return PlannedFile(str(path), to_svg(gathered).encode())


def _document(gathered: Timeline, svg: Path | None) -> documents.TimelineDocument:
    return {
        "at": gathered.at.isoformat(),
        "spans": [_span(span, gathered) for span in gathered.spans],
        "certificates": {
            "total": gathered.total,
            "from": [edge.isoformat() for edge in gathered.edges],
            "profiles": [
                {"profile": one.profile, "total": one.total, "counts": list(one.counts)} for one in gathered.counts
            ],
        },
        "svg": str(svg) if svg else None,
    }


def _span(span: Span, gathered: Timeline) -> documents.Span:
    return {
        "kind": span.kind,
        "name": span.name,
        "note": span.note,
        "begin": span.begin.isoformat(),
        "end": span.end.isoformat(),
        "due": span.due.isoformat() if span.due else None,
        "seconds_left": int((span.end - gathered.at).total_seconds()),
        "state": span.state,
    }
