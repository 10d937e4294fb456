"""Rows of figures: beside each of ours the yardstick of the same run, its ratio, and what bounds it.

    table = Table("store")
    with table.job("look-up by serial number, 1M rows", unit="us", goal="15 us"):
        table.row("raw sqlite3", 9.1)         # the first row of a job is its yardstick
        table.row("counterseal", 14.2)        # ratio 1.56: that much more time
    table.finish(arguments)                   # prints, and writes benchmarks/results/store.json

A ratio is always "value / yardstick" and only means something within one run: the machine is shared, figures drift.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one job; ``ratio`` to the job's first row, ``better`` says which way is good."""

    job: str
    who: str
    value: float
    unit: str
    ratio: float
    better: str
    goal: str
    note: str


class Table:
    """The rows of one benchmark, in the order measured."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: list[Row] = []
        self._job = ("", "", "")

    @contextmanager
    def job(self, job: str, *, unit: str, goal: str = "") -> Iterator[None]:
        """Open a job: its first row is the yardstick. ``unit`` ending in ``/s`` means that more is better."""
        self._job = (job, unit, goal)
        yield
        self._job = ("", "", "")

    def row(self, who: str, value: float, *, note: str = "") -> None:
        """Add a figure to the open job and show it at once."""
        job, unit, goal = self._job
        assert job, "open a job first"
        first = next((row.value for row in self.rows if row.job == job), value)
        better = "more" if unit.endswith("/s") else "less"
        row = Row(job, who, value, unit, value / first if first else 0.0, better, goal, note)
        self.rows.append(row)
        print(show_row(row), file=sys.stderr, flush=True)

    def finish(self, json_path: Path | None = None) -> None:
        """Print the table to stdout and write it as JSON (default: results/NAME.json)."""
        print(f"# {self.name}: {describe_machine()}")
        for row in self.rows:
            print(show_row(row))
        path = json_path or RESULTS / f"{self.name}.json"
        path.parent.mkdir(exist_ok=True)
        document = {"benchmark": self.name, "machine": describe_machine(), "rows": [asdict(row) for row in self.rows]}
        path.write_text(json.dumps(document, indent=1) + "\n")


def show_row(row: Row) -> str:
    """Return the row as one line of text."""
    goal = f"  goal {row.goal}" if row.goal and row.ratio != 1.0 else ""
    note = f"  ({row.note})" if row.note else ""
    return f"{row.job:<52} {row.who:<22} {_short(row.value):>9} {row.unit:<7} x{row.ratio:<7.2f}{goal}{note}"


def describe_machine() -> str:
    """Return what the figures depend on, without the machine's name."""
    return f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def time_median(run: Callable[[], object], *, rounds: int = 7, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the median time of ``run`` in seconds: wall time, or CPU time with ``time.process_time``."""
    times = []
    for _ in range(rounds):
        started = clock()
        run()
        times.append(clock() - started)
    return median(times)


def new_arguments(description: str) -> argparse.ArgumentParser:
    """Return a parser with the arguments that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", type=Path, help="where to write the figures (default: benchmarks/results/)")
    return parser


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits either way
