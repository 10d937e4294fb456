"""``counterseal nginx render``: what a deploy would write, and the parts of it for server blocks of the user's own.

The second goes into a directory, too, from which the user's nginx reads it. No deploy looks after that one, so lists
that are due are signed first, and whoever revokes writes it again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from counterseal.authority.deployment import render_sites, require_sites
from counterseal.authority.publish import publish, stale_lists
from counterseal.cli.common import DIRECTORY, Run, common
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.compose.ground import nginx_directory, open_ground
from counterseal.errors import InputError
from counterseal.files import make_directory, preview, write_fileset

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from counterseal.fileset import FileSet, PlannedFile

EPILOG = """\b
Examples:
  counterseal nginx render
  counterseal nginx render --snippets
  counterseal nginx render --snippets --out /etc/nginx/counterseal     again after each revocation, and by a timer
"""


@click.command(epilog=EPILOG)
@click.option("--snippets", is_flag=True, help="Files to include into server blocks of your own.")
@click.option("--out", type=DIRECTORY, help="Write the snippets here, with the CAs and lists that they name.")
@dry_run_option
@common
def render(run: Run, *, snippets: bool, out: Path | None, dry_run: bool) -> None:
    """Print the configuration that a deploy would write; keys are left out."""
    if out is not None and not snippets:
        hint = "counterseal nginx render --snippets --out DIR; all the rest is written by: counterseal nginx deploy"
        raise InputError("nginx.render_out", "--out is for snippets alone", hint=hint)
    settings = run.settings()
    require_sites(settings.sites)
    stale: Sequence[str] = ()
    with run.authority() as authority:
        if out is None:
            ground = open_ground(run.home, settings, snippets=nginx_directory(run.home) if snippets else None)
        else:
            place = out.resolve()
            ground = open_ground(run.home, settings, snippets=place)
            ground = replace(ground, layout=replace(ground.layout, current=place, logs=place))
            stale = stale_lists(authority)
            if dry_run:
                run.rehearse_opening(authority, map(authority.store.ca, stale))
            else:
                publish(authority, only=stale)
        number = (ground.in_force or 0) + 1
        files = render_sites(authority, settings.sites, ground, generation=number, snippets=snippets)
    if dry_run:
        acts = [f"sign a new revocation list of {name}" for name in stale]
        acts = acts if out is not None else ["print the configuration, and write nothing"]
        show_dry_run(run, acts=acts, files=preview(out, files) if out is not None else ())
    elif out is not None:
        _write(run, out, files)
    else:
        shown = [file for file in files if not file.is_secret]
        text = "\n".join(f"# ---- {file.path}\n{_readable(file)}" for file in shown)
        run.show({"files": [_to_json(file) for file in files]}, text)


def _write(run: Run, out: Path, files: FileSet) -> None:
    make_directory(out)
    written = write_fileset(out, files)
    lines = [f"  file {path}" for path in written]
    run.show({"files": [_to_json(file) for file in files]}, "\n".join(lines))
    run.say("next: include them where their first lines say, then: nginx -t && nginx -s reload")
    run.say(
        "hint: after each revocation, and before the lists end, do the same again: no deploy looks after these files"
    )


def _to_json(file: PlannedFile) -> dict[str, Any]:
    content = None if file.is_secret else file.content.decode(errors="replace")
    return {"path": file.path, "mode": f"{file.mode:04o}", "size": len(file.content), "content": content}


def _readable(file: PlannedFile) -> str:
    """Return what a person would read of a file: certificates and lists are only counted."""
    if file.content.startswith(b"-----BEGIN"):
        return f"# {file.content.count(b'-----BEGIN')} in PEM, {len(file.content):,} bytes\n"
    return file.content.decode(errors="replace")
