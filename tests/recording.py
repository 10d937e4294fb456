"""The command line, with every statement that it has a store run written to a file, each text once, as JSON a line.

usage: recording.py FILE WORD...    Work in the background is done every half a second; what is done leaves a line, too.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from counterseal.cli.run import run
from counterseal.service import upkeep
from counterseal.store.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.service.parts import Upkeep

PAUSE = 0.5
WAYS = ("run", "run_many", "row", "rows", "each", "column")
WORKS = ("run_together", "row_behind")
UNDER_WAY, DONE = "-- under way: ", "-- done: "


def record(file: Path) -> None:
    """From now on write down what is run."""
    seen = set[str]()

    def note(line: str) -> None:
        if line not in seen:
            seen.add(line)
            with file.open("a") as written:
                written.write(json.dumps(line) + "\n")

    def noted(function: Any) -> Any:  # noqa: ANN401 - any of the ways
        def ask(session: Session, statement: str, *values: Any) -> Any:  # noqa: ANN401 - same
            note(statement)
            return function(session, statement, *values)

        return ask

    for way in WAYS:
        setattr(Session, way, noted(getattr(Session, way)))

    def works_noted(function: Any) -> Any:  # noqa: ANN401 - one that is given statements with their rows
        def ask(session: Session, works: Any, *last: str) -> Any:  # noqa: ANN401 - same
            kept = list(works)
            for statement in (*(one for one, _ in kept), *last):
                note(statement)
            return function(session, kept, *last)

        return ask

    for way in WORKS:
        setattr(Session, way, works_noted(getattr(Session, way)))
    hurry(note)


def hurry(note: Callable[[str], None]) -> None:
    """From now on do what is done in the background all the while, and note it."""
    repeat = upkeep._repeat

    def hurried(work: Upkeep) -> Any:  # noqa: ANN401 - a coroutine
        note(UNDER_WAY + work.name)

        async def do() -> None:
            await work.do()
            note(DONE + work.name)

        return repeat(replace(work, seconds=PAUSE, do=do))

    upkeep._repeat = hurried


if __name__ == "__main__":
    record(Path(sys.argv[1]))
    sys.exit(run(sys.argv[2:]))
