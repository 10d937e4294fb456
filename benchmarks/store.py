"""The store beside raw sqlite3 in the same run: issue, batch, look up, list, revoke, walk.

usage: python benchmarks/store.py [--sizes 1000,1000000] [--directory DIR] [--json FILE]

The yardstick is one thin table (serial number, name, status, not_after, DER; two indexes) with the same durability and
nothing else: no names to search by, no log, no rules of status. What the store takes longer is for what it does more.
A million rows take about four minutes and 4 GB of disk.
"""

from __future__ import annotations

import itertools
import random
import secrets
import shutil
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from table import Table, new_arguments, time_median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from counterseal.store.records import CARecord, CertificateRecord, NewKeyUse, Query, Reservation, Status
from counterseal.store.sqlite import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.store.store import Store

NOW = 1_800_000_000
DAY = 86_400
CHUNK = 500
DER = secrets.token_bytes(620)  # the size of a P-256 client certificate
DIGEST = sha256(DER).digest()
CLIENTS = CARecord("clients", "client", None, DER, "key", "active", NOW)
LOOKS = 2_000
SINGLES = 200
PAGES = 50


def new_records(count: int, start: int) -> list[CertificateRecord]:
    """Return client certificates as a device fleet has them: random serial, a name, an address, times that move on."""
    return [
        CertificateRecord(
            serial_number=secrets.randbits(127) | 1 << 126,
            issuer="clients",
            name=f"device-{number:07d}",
            subject=f"CN=device-{number:07d},OU=ops,O=Example",
            names=(f"email:device-{number:07d}@devices.example.com",),
            profile="client",
            group="ops",
            status=Status.VALID,
            not_before=NOW + number // 20,
            not_after=NOW + number // 20 + 90 * DAY,
            certificate=DER,
            created_at=NOW + number // 20,
            created_by="root",
        )
        for number in range(start, start + count)
    ]


def reserve(record: CertificateRecord) -> Reservation:
    """Return the reservation that comes before a record."""
    return Reservation(record.serial_number, record.issuer, record.name, record.profile, record.created_at, "root")


def use_key(record: CertificateRecord) -> NewKeyUse:
    """Return the key use that signs a record."""
    return NewKeyUse(record.created_at, "root", "sign certificate", "clients", record.serial_number, DIGEST)


class Raw:
    """The yardstick."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None)
        for statement in (
            "pragma journal_mode = wal",
            "pragma synchronous = full",
            "pragma cache_size = -16000",
            "pragma wal_autocheckpoint = 8000",
            "create table certificate (serial blob unique, name text, status text, not_after integer, der blob)",
            "create index by_expiry on certificate (status, not_after, serial)",
            "create index by_name on certificate (name)",
        ):
            self.connection.execute(statement)

    def insert(self, records: list[CertificateRecord]) -> None:
        """Store a chunk in one transaction."""
        rows = [(encode(record), record.name, "valid", record.not_after, DER) for record in records]
        self.connection.execute("begin immediate")
        self.connection.executemany("insert into certificate values (?, ?, ?, ?, ?)", rows)
        self.connection.execute("commit")

    def rows(self, where: str, *values: object) -> list[tuple[object, ...]]:
        """Return the certificates that fit."""
        return self.connection.execute(f"select * from certificate where {where}", values).fetchall()  # noqa: S608 - the benchmark's own


def encode(record: CertificateRecord) -> bytes:
    """Return the key of a record in the yardstick."""
    return record.serial_number.to_bytes(20, "big")


def fill(table: Table, size: int, raw: Raw, store: Store) -> list[CertificateRecord]:
    """Store ``size`` certificates in both, by turns, and say how fast; return some of them."""
    raw_seconds = store_seconds = 0.0
    some: list[CertificateRecord] = []
    share = max(1, CHUNK * LOOKS // max(size, LOOKS))
    for start in range(0, size, CHUNK):
        records = new_records(min(CHUNK, size - start), start)
        reservations, issued = list(map(reserve, records)), [(record, use_key(record)) for record in records]
        began = time.perf_counter()
        raw.insert(records)
        turned = time.perf_counter()
        store.reserve_block(reservations)
        store.record_block(issued)
        raw_seconds, store_seconds = raw_seconds + turned - began, store_seconds + time.perf_counter() - turned
        some += records[:share]
    with table.job(f"batch in chunks of {CHUNK}, {size:,} rows", unit="rows/s"):
        table.row("raw sqlite3", size / raw_seconds, note="one commit a chunk")
        table.row("counterseal", size / store_seconds, note="two commits, names, log; bound by B-tree pages written")
    raw.connection.execute("pragma wal_checkpoint(truncate)")
    store.run("pragma wal_checkpoint(truncate)")  # so that the file has everything
    with table.job(f"disk for a certificate, {size:,} rows", unit="B"):
        table.row("raw sqlite3", raw.path.stat().st_size / size)
        table.row("counterseal", store.size() / size, note="names 2 x, log")
    return some


def issue_singly(table: Table, size: int, raw: Raw, store: Store) -> None:
    """Issue one certificate at a time, each durable before the next: two commits, as the rule of the serial wants."""
    records = new_records(SINGLES, size)
    for_raw, for_store = iter(records), iter(records)

    def issue_raw() -> None:
        record = next(for_raw)
        raw.insert([record])
        raw.connection.execute("update certificate set status = 'valid' where name = ?", (record.name,))

    def issue_stored() -> None:
        record = next(for_store)
        store.reserve_many([reserve(record)])
        store.record(record, use_key(record))

    with table.job(f"issue one (reserve, record), {size:,} rows", unit="us"):
        table.row("raw sqlite3", time_median(issue_raw, rounds=SINGLES) * 1e6, note="two commits")
        table.row("counterseal", time_median(issue_stored, rounds=SINGLES) * 1e6, note="two commits; bound by fsync")


def look_up(table: Table, size: int, raw: Raw, store: Store, some: list[CertificateRecord]) -> None:
    """Look up by serial number and by name, in random order."""
    random.shuffle(some)
    turns = itertools.cycle(some)
    with table.job(f"look-up by serial number, {size:,} rows", unit="us", goal="15"):
        table.row("raw sqlite3", time_median(lambda: raw.rows("serial = ?", encode(next(turns))), rounds=LOOKS) * 1e6)
        run = lambda: store.certificate(next(turns).serial_number)  # noqa: E731 - named for the line's length
        table.row("counterseal", time_median(run, rounds=LOOKS) * 1e6)
    with table.job(f"look-up by exact name, {size:,} rows", unit="us"):
        table.row("raw sqlite3", time_median(lambda: raw.rows("name = ?", next(turns).name), rounds=LOOKS) * 1e6)
        table.row("counterseal", time_median(lambda: store.by_name(next(turns).name), rounds=LOOKS) * 1e6)


def list_pages(table: Table, size: int, raw: Raw, store: Store) -> None:
    """List first pages of a hundred."""
    middle = NOW + 90 * DAY + size // 40
    where = "status = 'valid' and not_after >= ? and not_after < ? order by not_after, serial limit 100"
    expiring = Query(status=Status.VALID, include_expired=False, at=middle, expires_before=middle + 30 * DAY)
    with table.job(f"expiring soon, first 100, {size:,} rows", unit="ms", goal="1"):
        run = lambda: raw.rows(where, middle, middle + 30 * DAY)  # noqa: E731 - named for the line's length
        table.row("raw sqlite3", time_median(run, rounds=PAGES) * 1e3)
        table.row("counterseal", time_median(lambda: store.search(expiring), rounds=PAGES) * 1e3)
        every = replace(expiring, status=None)
        table.row("counterseal, any status", time_median(lambda: store.search(every), rounds=PAGES) * 1e3)
    number = f"{size // 2:07d}"
    prefix = f"device-{number[:-2]}"
    with table.job(f"names, first 100, {size:,} rows", unit="ms"):
        where = "name >= ? and name < ? order by name limit 100"
        run = lambda: raw.rows(where, prefix, f"{prefix}~")  # noqa: E731 - named for the line's length
        table.row("raw sqlite3, prefix", time_median(run, rounds=PAGES) * 1e3)
        for who, pattern, rounds in (
            ("prefix", prefix, PAGES),
            ("domain", "*.example.com", PAGES),
            ("rare substring", f"*{number}@dev*", 3),
        ):
            query = Query(name=pattern)
            note = f"{len(store.search(query).records)} found"
            seconds = time_median(lambda query=query: store.search(query), rounds=rounds)  # type: ignore[misc] # a default binds the loop's value
            table.row(f"counterseal, {who}", seconds * 1e3, note=note)


def revoke(table: Table, size: int, store: Store) -> None:
    """Revoke one at a time, each durable before the next."""
    records = iter(store.search(Query(limit=SINGLES)).records)

    def revoke_next() -> None:
        store.revoke(next(records).serial_number, at=NOW, reason="superseded", crl_entry=bytes(49))

    with table.job(f"revoke one, {size:,} rows", unit="us"):
        table.row("counterseal", time_median(revoke_next, rounds=SINGLES) * 1e6, note="one commit; bound by fsync")


def walk(table: Table, size: int, store: Store) -> None:
    """Walk through all of it: the inventory map, the verification of the log."""
    with table.job(f"serials of all valid ones, {size:,} rows", unit="s"):
        table.row("counterseal", time_median(lambda: count(store.known_serials("clients", NOW)), rounds=1))
    with table.job(f"verify the log, {size:,} rows", unit="s"):
        table.row("counterseal", time_median(store.verify_key_uses, rounds=1), note="a hash and a look-up an entry")


def list_revoked(table: Table, size: int, path: Path) -> None:
    """List what a CRL is made of; adopted, because revoking one by one would measure its fsyncs."""
    with open_store(path, create=True) as store:
        store.add_ca(CLIENTS)
        for start in range(0, size, 20_000):
            records = new_records(min(20_000, size - start), start)
            store.adopt([(mark_revoked(record), bytes(49)) for record in records])
        with table.job(f"CRL entries, {size:,} revoked", unit="s"):
            read = store._connection.execute  # noqa: SLF001 - the yardstick reads past the interface
            run = lambda: count(read("select crl_entry from revocation"))  # noqa: E731 - named for the line's length
            table.row("raw sqlite3", time_median(run, rounds=3), note="in the order of the table")
            run = lambda: count(store.revoked("clients", not_expired_at=NOW))  # noqa: E731 - named for the line's length
            table.row("counterseal", time_median(run, rounds=3), note="in the order of serial numbers")
            run = lambda: count(store.revoked_serials("clients"))  # noqa: E731 - named for the line's length
            table.row("counterseal, serials", time_median(run, rounds=3), note="as integers, for a map")


def mark_revoked(record: CertificateRecord) -> CertificateRecord:
    """Return the record as another CA program's revoked one."""
    return record._replace(status=Status.REVOKED, revoked_at=NOW, revocation_reason="superseded", certificate=None)


def count(values: Iterator[object]) -> int:
    """Return how many there are."""
    return sum(1 for _ in values)


def main() -> None:
    """Run for each size."""
    parser = new_arguments(__doc__ or "")
    parser.add_argument("--sizes", default="1000,1000000", help="how many certificates (default: 1000,1000000)")
    parser.add_argument("--directory", type=Path, help="where to work: a disk, not a tmpfs (default: the system's)")
    arguments = parser.parse_args()
    table = Table("store")
    directory = Path(tempfile.mkdtemp(dir=arguments.directory))
    try:
        for size in map(int, arguments.sizes.split(",")):
            raw = Raw(directory / f"raw-{size}.db")
            with closing(raw.connection), open_store(directory / f"store-{size}.db", create=True) as store:
                store.add_ca(CLIENTS)
                some = fill(table, size, raw, store)
                issue_singly(table, size, raw, store)
                look_up(table, size, raw, store, some)
                list_pages(table, size, raw, store)
                revoke(table, size, store)
                walk(table, size, store)
            list_revoked(table, size, directory / f"revoked-{size}.db")
    finally:
        shutil.rmtree(directory)
    table.finish(arguments.json)


if __name__ == "__main__":
    main()
