"""``counterseal quickstart``: the main job from nothing to a proof, with everything in one directory."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import click

from counterseal.cli.common import Run, common
from counterseal.cli.demonstration import Demonstration
from counterseal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

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
    type=click.Path(path_type=Path, file_okay=False),
    help="Where.  [default: ./counterseal-quickstart]",
)
@click.option("--port", type=click.IntRange(1, 65535), help="Port on 127.0.0.1.  [default: a free one]")
@click.option("--stop", is_flag=True, help="Stop nginx at the end instead of leaving it for your browser.")
@common
def quickstart(run: Run, *, directory: Path | None, port: int | None, stop: bool) -> int:
    """Make a CA, serve mutual TLS with nginx, and prove it.

    Everything lies in one directory; the next run makes it anew.
    """
    place = (directory or Path("counterseal-quickstart")).absolute()
    demonstration = Demonstration(place, port or _free_port(), _teller(run))
    _clear(place, demonstration)
    place.mkdir(parents=True, exist_ok=True, mode=0o711)
    (place / MARK).touch()
    passed = demonstration.play()
    if stop:
        demonstration.stop()
    run.show(demonstration.document(), demonstration.summary(running=not stop))
    return 0 if passed else 3


def _teller(run: Run) -> Callable[[str], None]:
    return run.say


def _clear(place: Path, demonstration: Demonstration) -> None:
    """Remove what an earlier quickstart made, and nothing else."""
    import shutil  # noqa: PLC0415 - only here

    if not place.exists() or not any(place.iterdir()):
        return
    if not (place / MARK).is_file():
        raise InputError(
            "quickstart.directory",
            f"not an empty directory, and not made by quickstart: {place}",
            hint="choose another --dir",
        )
    demonstration.stop()
    shutil.rmtree(place)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
