"""Linting an nginx configuration by its size, beside crossplane's parse and gixy-ng in one run.

usage: python benchmarks/nginx_lint.py [--lines 2000 20000] [--shapes NAME...] [--rounds 5] [--cpu] [--json FILE]

Whole processes, median wall time or with --cpu of CPU time, taking turns. crossplane only parses and looks at contexts
and argument counts; gixy-ng runs its own rules, few of which are about TLS. Both bring a module called crossplane, so
each gets an environment of its own below a temporary directory, from the package index that pip is set up for.

The shapes are those of ``nginx_shapes``; all but the many servers are measured at the largest size alone. What bounds
us: about half of the time above the start of Python is reading words and making the tree (a regular expression a word),
the rest are the rules. What a level decides, and where a name stands, is found once for all of them, and no rule
compares servers or locations with each other pair by pair: all grows with the lines.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import venv
from functools import partial
from typing import TYPE_CHECKING

from commands import cpu_seconds, take_turns
from nginx_shapes import MAIN, MANY_SERVERS, SHAPES
from place import PROGRAM, new_place
from table import Table, new_arguments

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PEERS = {"crossplane": "crossplane==0.5.8", "gixy": "gixy-ng==0.2.59"}
GOALS = {20_000: "2,000 ms"}


def install(place: Path, package: str) -> Path:
    """Return the directory of the programs of an environment with nothing but one package."""
    directory = place / package.partition("=")[0]
    venv.create(directory, with_pip=True)
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    subprocess.run([str(directory / "bin" / "python"), "-m", "pip", "install", *quiet, package], check=True)
    return directory / "bin"


def run(command: tuple[str | Path, ...], _: int) -> None:
    """Run a linter to its end; findings are no failure, and bytecode is cached, as it is everywhere after the first."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    words = [str(word) for word in command]
    done = subprocess.run(words, check=False, capture_output=True, env=environment)
    assert done.returncode in {0, 1, 3}, done.stderr.decode(errors="replace")[-500:]


def write_shape(shape: str, lines: int, place: Path) -> Path:
    """Write the files of a shape, and return the main one."""
    directory = place / f"{shape}-{lines}".replace(" ", "-")
    for name, text in SHAPES[shape](lines).items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    return directory / MAIN


def main() -> None:
    """Measure every shape at its sizes, and print the table."""
    parser = new_arguments("nginx lint beside crossplane and gixy-ng")
    parser.add_argument("--lines", type=int, nargs="+", default=[2_000, 20_000])
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES), metavar="NAME")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cpu", action="store_true", help="CPU time, for a machine that has other work")
    arguments = parser.parse_args()
    table, clock = Table("nginx_lint"), cpu_seconds if arguments.cpu else time.perf_counter
    with new_place("nginx-lint") as place:
        peers = {name: install(place, package) for name, package in PEERS.items()}
        largest = [max(arguments.lines)]
        jobs = [(s, size) for s in arguments.shapes for size in (arguments.lines if s == MANY_SERVERS else largest)]
        for shape, lines in jobs:
            conf = write_shape(shape, lines, place)
            commands: dict[str, tuple[str | Path, ...]] = {
                "crossplane parse": (peers["crossplane"] / "crossplane", "parse", conf),
                "gixy-ng": (peers["gixy"] / "gixy", conf),
                "counterseal nginx lint": (PROGRAM, "nginx", "lint", "--no-files", conf),
                "Python alone": (sys.executable, "-c", "pass"),
            }
            turns: dict[str, Callable[[int], None]] = {who: partial(run, words) for who, words in commands.items()}
            with table.job(f"{shape}, {lines:,} lines", unit="ms", goal=GOALS.get(lines, "")):
                for who, value in take_turns(arguments.rounds, turns, clock).items():
                    table.row(who, value)
    table.finish(arguments.json)


if __name__ == "__main__":
    main()
