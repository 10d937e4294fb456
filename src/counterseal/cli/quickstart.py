"""``counterseal quickstart``: the main job from nothing to a proof, with everything in one directory."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import click

from counterseal.cli.common import DIRECTORY, Run, common
from counterseal.cli.demonstration import Demonstration
from counterseal.cli.dry_run import dry_run_option, show_dry_run
from counterseal.cli.exit_codes import DONE, FAILED, FINDINGS
from counterseal.errors import InputError
from counterseal.nginx.generations import make_passable

EPILOG = """\b
Examples:
  counterseal quickstart
  counterseal quickstart --dir /tmp/demo --stop
"""
MARK = ".counterseal-quickstart"


@click.command(epilog=EPILOG)
@click.option(
    "--dir",
    "directory",
    type=DIRECTORY,
    help="Where all of it goes.  [default: ./counterseal-quickstart]",
)
@click.option("--port", type=click.IntRange(1, 65535), help="Port on 127.0.0.1.  [default: a free one]")
@click.option("--stop", is_flag=True, help="Stop nginx at the end instead of leaving it for your browser.")
@dry_run_option
@common
def quickstart(run: Run, *, directory: Path | None, port: int | None, stop: bool, dry_run: bool) -> int:
    """Make a CA, serve mutual TLS with nginx, and prove it.

    Everything lies in one directory, the CA too, whatever --home says; the next run makes it anew. Without an nginx it
    does what needs none, says what is missing, and ends with exit code 1.
    """
    place = (directory or Path("counterseal-quickstart")).resolve()
    demonstration = Demonstration(place, port or _free_port(), run.say)
    again = _is_ours(place)
    demonstration.refuse_place()
    if dry_run:
        acts = [f"remove what an earlier quickstart made: {place}"] if again else []
        document = {"home": str(demonstration.home), "port": demonstration.port}
        show_dry_run(run, acts=[*acts, *demonstration.acts()], files=demonstration.files(), document=document)
        return 0
    if again:
        demonstration.stop()
        shutil.rmtree(place)
    make_passable(place)
    (place / MARK).touch()
    passed = demonstration.play()
    if stop:
        demonstration.stop()
    run.show(demonstration.document(), demonstration.summary(running=not stop))
    return DONE if passed else FINDINGS if demonstration.missing is None else FAILED


def _is_ours(place: Path) -> bool:
    """Whether an earlier quickstart made the directory; raises InputError where somebody else's files are in it."""
    if not place.exists() or not any(place.iterdir()):
        return False
    if not (place / MARK).is_file():
        raise InputError(
            "quickstart.directory",
            f"not an empty directory, and not made by quickstart: {place}",
            hint="choose another --dir",
        )
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
