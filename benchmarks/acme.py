"""Whole ACME orders beside pebble and Caddy's ACME server in one run: a second, latency; one client, sixteen at once.

usage: python benchmarks/acme.py [--orders 300] [--rounds 2] [--postgresql] [--json FILE]

Every order is for another identifier and has a fresh key: newOrder, authorization, challenge, polls until the order is
ready, finalize, certificate, each request signed and over kept-alive TLS. Ours validates http-01 for real (addresses in
127.0.0.0/8, answered by a web server of this script) and every answer leaves after its commit is on disk; pebble keeps
all in memory and is told to take every challenge as valid. Caddy validates as we do, at port 80, and keeps its state on
disk, nonces too; it gets a tenth of the orders, and what it answers with 500 is asked again. Renewals are orders whose
authorization is still valid. With --postgresql our server runs once more, and three replicas of it, their store in a
durable PostgreSQL over a Unix socket.
Servers and clients share the machine, so rounds take turns, and the processor time of each server for an order is shown
too. Pebble 2.4 may stand still when one account asks for several orders at once: one newOrder holds the lock of an
authorization and waits for that of its store, another one the reverse. A server that does not answer is left out from
there on. What bounds us: Python for each of six requests and their seven verifications, and at one client the two to
three flushes that an order waits for.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from acme_servers import HTTP_PORT, caddy, ours, ours_on_postgresql, pebble
from table import Table, new_arguments, time_median

if TYPE_CHECKING:
    from acme_orders import Server

PARTS = [(kind, at_once) for kind in ("new", "renewal") for at_once in (1, 16)]


def main() -> None:
    """Take turns, then show."""
    parser = new_arguments(__doc__ or "")
    parser.add_argument("--orders", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--postgresql", action="store_true")
    arguments = parser.parse_args()
    table = Table("acme")
    with ExitStack() as stack:
        places = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(5)]
        servers = [stack.enter_context(pebble(places[0])), stack.enter_context(ours(places[1]))]
        try:
            servers.append(stack.enter_context(caddy(places[3])))
        except OSError as error:
            print(f"without Caddy, which asks at port {HTTP_PORT}: {error}", file=sys.stderr)
        if arguments.postgresql:
            servers += [stack.enter_context(ours_on_postgresql(places[2]))]
            servers += [stack.enter_context(ours_on_postgresql(places[4], replicas=3))]
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            for server in servers:
                runner.run(server.measure("new", 40, 4))  # caches filled, code loaded
                server.rates.clear()
                server.costs.clear()
                server.seconds.clear()
            going = servers
            for _ in range(arguments.rounds):
                for kind, at_once in PARTS:
                    going = [one for one in going if measured(runner, one, kind, arguments.orders, at_once)]
        show(table, servers)
    table.finish(arguments.json)


def measured(runner: asyncio.Runner, server: Server, kind: str, orders: int, at_once: int) -> bool:
    """Measure, and say whether the server still answers."""
    try:
        runner.run(server.measure(kind, orders, at_once))
    except TimeoutError as error:
        print(f"{server.name} is left out from here on: {error}", file=sys.stderr)
        return False
    return True


def time_flush() -> float:
    """Return the median seconds that a flush of a page takes where the store lies."""
    with tempfile.NamedTemporaryFile() as file:

        def flush() -> None:
            file.write(bytes(4096))
            file.flush()
            os.fdatasync(file.fileno())

        return time_median(flush, rounds=51)


def show(table: Table, servers: list[Server]) -> None:
    """Fill the table."""
    goals = {("new", 1): "250/s", ("new", 16): "500/s"}
    for kind, at_once in PARTS:
        what, shown = f"{kind} order, {at_once} at once", [one for one in servers if (kind, at_once) in one.rates]
        with table.job(what, unit="order/s", goal=goals.get((kind, at_once), "")):
            for server in shown:
                said = f"{server.failed} of its answers, of all kinds of orders, were 500" if server.failed else ""
                table.row(server.name, median(server.rates[kind, at_once]), note=said)
        with table.job(f"{what}: processor time of the server", unit="ms"):
            for server in shown:
                table.row(server.name, median(server.costs[kind, at_once]))
        for share, which in (("p50", 49), ("p99", 98)):
            with table.job(f"{what}: {share}", unit="ms"):
                for server in shown:
                    times = [one for times in server.seconds[kind, at_once] for one in times]
                    table.row(server.name, quantiles(times, n=100)[which] * 1000)
    with table.job("what a durable answer waits for", unit="ms"):
        table.row("one flush, this disk", time_flush() * 1000, note="a new order waits for 3 commits, a renewal for 2")
    with table.job("the most resident memory while it issued", unit="MB"):
        for server in servers:
            table.row(server.name, server.memory())


if __name__ == "__main__":
    main()
