"""Where the processor time of a new ACME order goes in our server: its parts, which add up to all of it.

usage: python benchmarks/acme_parts.py [--orders 150] [--rounds 5] [--json FILE]

One client, then sixteen, as benchmarks/acme.py has them; of all rounds the one with the least processor time is shown,
because what else runs on a machine makes the same code slower. The parts are those of ``metered``; what the main thread
does in none of them is the event loop, tasks and reading TLS, and the other threads write and flush commits.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import metered
from acme_servers import ours
from table import Table, new_arguments

if TYPE_CHECKING:
    from acme_orders import Server

AT_ONCE = (1, 16)
LOOP, THREADS = "event loop, tasks, reading TLS", "commits: written and flushed, in their thread"
Parts = dict[str, float]


def main() -> None:
    """Measure, then show."""
    parser = new_arguments(__doc__ or "")
    parser.add_argument("--orders", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    table, best = Table("acme_parts"), dict[int, Parts]()
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "seconds.json"
        with (
            ours(Path(directory) / "ours", program=(metered.__file__, str(file))) as server,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(server.measure("new", 60, 4))  # caches filled, code loaded
            for _ in range(arguments.rounds):
                for at_once in AT_ONCE:
                    before = seconds(server, file)
                    runner.run(server.measure("new", arguments.orders, at_once))
                    after = seconds(server, file)
                    spent = {part: (after[part] - before.get(part, 0.0)) / arguments.orders for part in after}
                    best[at_once] = min(best.get(at_once, spent), spent, key=lambda parts: sum(parts.values()))
    show(table, best)
    table.finish(arguments.json)


def show(table: Table, best: dict[int, Parts]) -> None:
    """Fill the table, the largest part first."""
    for at_once, parts in best.items():
        with table.job(f"processor time of a new order, {at_once} at once", unit="ms"):
            table.row("all", sum(parts.values()) * 1000)
            for part, spent in sorted(parts.items(), key=lambda item: -item[1]):
                table.row(part, spent * 1000)


def seconds(server: Server, file: Path) -> Parts:
    """Return the processor seconds that the server has used so far, by part."""
    file.unlink(missing_ok=True)
    os.kill(server.process, signal.SIGUSR2)
    while not file.exists():
        time.sleep(0.01)
    parts: Parts = json.loads(file.read_text())
    main_thread = parts.pop(metered.TOTAL)
    parts[LOOP] = main_thread - sum(parts.values())
    parts[THREADS] = server.processor_seconds() - main_thread
    return parts


if __name__ == "__main__":
    main()
