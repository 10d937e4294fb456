"""The same questions with 1,000 and with 1,000,000 certificates, in a file and in PostgreSQL: nothing may grow.

usage: python benchmarks/scale.py [--size 1000000] [--json FILE]

Each store is filled in bulk (a file by batches, PostgreSQL by COPY from that file), then asked what a service asks all
the while, at random places; medians. A ratio near one between the two sizes is the goal: an index is deeper, and less
of it is in memory. PostgreSQL is Debian's on this machine, durable, over a Unix socket: a look-up is a message there
and back.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from store import CLIENTS, DAY, NOW, new_records, reserve, use_key
from table import Table, time_median

from counterseal.store import postgresql, sqlite
from counterseal.store.acme import accounts, orders, passing
from counterseal.store.acme.records import AccountRecord, OrderRecord
from counterseal.store.copying import tables
from counterseal.store.records import Query, Status
from postgresql_process import Cluster, own

if TYPE_CHECKING:
    from collections.abc import Callable

    from counterseal.store.records import CertificateRecord
    from counterseal.store.store import Store

SMALL, CHUNK = 1_000, 5_000
ROUNDS = {
    "look up by serial number": 2_000,
    "OCSP: the standing": 2_000,
    "look up by name": 500,
    "page of 100 by expiry": 100,
    "page by the beginning of a name": 100,
}
WRITES, WRITERS = 200, 8
_numbers = count()


def fill(path: Path, size: int) -> list[int]:
    """Make a store in a file with so many certificates, and return some of their serial numbers."""
    with sqlite.open_store(path, create=True) as store:
        store.add_ca(CLIENTS)
        some = add(store, size)
        accounts.add_account(store, AccountRecord("a", "t", "{}", "valid", "[]", True, None, NOW))
    return some


def add(store: Store, size: int) -> list[int]:
    """Add so many certificates of the CA for clients, and return some of their serial numbers."""
    some: list[int] = []
    for start in range(0, size, CHUNK):
        records = new_records(min(CHUNK, size - start), start)
        store.adopt([(record, None) for record in records])
        some += [record.serial_number for record in records[:: max(1, size // 5_000)]]
    return some


def copy(path: Path, url: str) -> None:
    """Bring the file's rows into PostgreSQL by COPY."""
    with closing(postgresql.open_store(url, create=True)), sqlite.open_store(path) as source:
        pass
    with sqlite.open_store(path) as source, psycopg.connect(url) as target:
        for table in tables():
            if table in {"key_use_head", "key_use_tallied"}:
                continue
            with target.cursor().copy(f"copy {table} from stdin".encode()) as lines:
                for row in source.each(f"select * from {table}"):  # noqa: S608 - our own tables
                    lines.write_row(row)
        target.commit()
        target.autocommit = True
        target.execute("vacuum analyze")


def questions(store: Store, some: list[int], size: int) -> dict[str, Callable[[], object]]:
    """Return what is asked all the while, each at a random place."""
    draw = random.Random(1)  # noqa: S311 - places to look at
    fresh = iter(new_records(WRITES * 4, size))

    def issue() -> None:
        record = next(fresh)
        store.reserve_many([reserve(record)])
        store.record(record, use_key(record))

    def revoke() -> None:
        store.revoke(some.pop(), at=NOW, reason="superseded", crl_entry=b"x" * 40)

    def ten_more() -> None:
        list(store.revoked("clients", not_expired_at=NOW, after=store.revocation_changes("clients")[0] - 10))

    def order() -> None:
        name = f"o{next(_numbers)}"
        with store.transaction():
            passing.use_nonce(store, name, NOW + DAY)
            passing.count_use(store, "a", "orders", NOW)
            orders.add_order(store, OrderRecord(name, "a", "ready", "[]", "[]", "server", NOW, NOW + DAY))
            orders.find_order(store, name)
            orders.change_order(store, name, was="ready", status="processing")

    return {
        "look up by serial number": lambda: store.certificate(draw.choice(some)),
        "OCSP: the standing": lambda: store.standing(draw.choice(some), issuer="clients"),
        "look up by name": lambda: store.by_name(f"device-{draw.randrange(size):07d}"),
        "page by the beginning of a name": lambda: store.search(Query(name=f"device-{draw.randrange(size):07d}*")),
        "page of 100 by expiry": lambda: store.search(
            Query(status=Status.VALID, include_expired=False, at=NOW + draw.randrange(size) // 20)
        ),
        "issue (two commits)": issue,
        "revoke": revoke,
        "ten more for a list": ten_more,
        "ACME order (five statements)": order,
    }


def rate_of_the_chain(url: str, size: int) -> float:
    """Return how many certificates a second are recorded by writers that do nothing else: one chain bounds them."""
    fresh = new_records(WRITERS * WRITES, 2 * size)

    def write(records: list[CertificateRecord]) -> None:
        with postgresql.open_store(url) as store:
            for record in records:
                store.begin(alone=False)
                store.record(record, use_key(record))
                store.commit()

    with postgresql.open_store(url) as store, ThreadPoolExecutor(WRITERS) as pool:
        store.reserve_many([reserve(record) for record in fresh])
        began = time.perf_counter()
        for done in [pool.submit(write, fresh[number::WRITERS]) for number in range(WRITERS)]:
            done.result()
        return len(fresh) / (time.perf_counter() - began)


def main() -> None:
    """Fill, ask, and show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found: dict[tuple[str, str], list[float]] = {}
    chained: list[float] = []
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        Path(directory).chmod(0o711)
        own(Path(directory) / "pg")
        cluster = Cluster(Path(directory) / "pg", durable=True, settings="max_wal_size = '4GB'")
        stack.callback(cluster.stop, "immediate")
        for size in (SMALL, arguments.size):
            path, url = Path(directory) / f"{size}.db", cluster.create()
            some = fill(path, size)
            copy(path, url)
            for name, opened in (("file", sqlite.open_store(path)), ("PostgreSQL", postgresql.open_store(url))):
                with opened as store:
                    for question, ask in questions(store, list(some), size).items():
                        seconds = time_median(ask, rounds=ROUNDS.get(question, WRITES))
                        found.setdefault((question, name), []).append(seconds * 1e6)
            chained.append(rate_of_the_chain(url, size))
    table = Table("scale")
    for (question, name), (small, large) in found.items():
        with table.job(f"{question}, {name}", unit="us"):
            table.row(f"{SMALL:,} certificates", small)
            table.row(f"{arguments.size:,} certificates", large)
    with table.job(f"issue, PostgreSQL, {WRITERS} writers at once", unit="/s"):
        for size, rate in zip((SMALL, arguments.size), chained, strict=True):
            table.row(f"{size:,} certificates", rate)
    table.finish(arguments.json)


if __name__ == "__main__":
    main()
