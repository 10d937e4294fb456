"""``counterseal client --batch`` of 100, 10,000 and 100,000 rows, with and without PKCS#12, beside an openssl loop.

usage: python benchmarks/batch.py [--sizes 100,10000,100000] [--cores 1,2] [--json FILE]

Whole processes, every certificate with its own P-256 key, reserved, linted, signed, logged and stored. The yardsticks:
``openssl speed``'s rate of signatures, the recipe's openssl commands in a loop, and a floor, measured right before each
batch: what Python needs to make and encode a key, sign 500 octets and insert one row, and nothing else. What bounds us:
that floor, seven rows instead of one, and the interpreter; with PKCS#12 three key derivations each; in files the file
system.
"""

from __future__ import annotations

import os
import re
import resource
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from place import PROGRAM, Took, new_place, run
from table import Table, new_arguments

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from counterseal.store.sqlite import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOP = 50
FLOOR, CHUNK, TO_BE_SIGNED = 5_000, 1_000, 500
KINDS: dict[str, tuple[tuple[str, ...], str]] = {
    "files": (("--no-p12", "--out", "out"), "3,000/s"),
    "one archive": (("--no-p12", "--archive", "out.tar"), "10,000/s"),
    "PKCS#12 at 2,048 rounds": (("--p12-rounds", "2048", "--archive", "out.tar"), "1,000/s, both cores"),
}
DEFAULT_ROUNDS = ("PKCS#12 at 20,000 rounds", ("--archive", "out.tar"))


def speed_of(algorithm: str, pattern: str) -> float:
    """Return an operation's seconds as ``openssl speed`` measures them on one core."""
    said = subprocess.run(
        ["openssl", "speed", "-seconds", "1", algorithm], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(pattern, said, re.MULTILINE)
    assert found is not None, said
    return float(found[1])


def arithmetic() -> float:
    """Return the certificates a second of signing alone, one core."""
    return speed_of("ecdsap256", r"^ *256 bits ecdsa .*?([0-9.]+) +[0-9.]+ *$")


def openssl_loop(place: Path, *, packed: bool) -> tuple[float, float]:
    """Return the certificates a second of the recipe's commands in a loop, and the CPU seconds of one."""
    curve = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    (place / "word").write_text("some password\n")
    run("openssl", "genpkey", *curve, "-out", "ca.key", cwd=place)
    run("openssl", "req", "-new", "-x509", "-key", "ca.key", "-subj", "/CN=CA", "-out", "ca.crt", cwd=place)
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    for number in range(LOOP):
        name = f"o{number}"
        run("openssl", "genpkey", *curve, "-out", f"{name}.key", cwd=place)
        request = ("-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
        run("openssl", "req", "-new", *request, cwd=place)
        sign = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.crt")
        run("openssl", "x509", "-req", "-in", f"{name}.csr", *sign, cwd=place)
        if packed:
            pack = ("-inkey", f"{name}.key", "-in", f"{name}.crt", "-passout", "file:word", "-out", f"{name}.p12")
            run("openssl", "pkcs12", "-export", *pack, cwd=place)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return LOOP / (time.perf_counter() - began), cpu / LOOP


def floor(path: Path) -> float:
    """Return the CPU seconds of the least that is done for one certificate, in Python and in chunks like ours."""
    store = sqlite3.connect(path, isolation_level=None)
    store.execute("pragma journal_mode = wal")
    store.execute("pragma synchronous = full")
    store.execute("create table certificate (serial_number blob primary key, der blob)")
    curve, by = ec.SECP256R1(), ec.ECDSA(SHA256())
    ca_key, began = ec.generate_private_key(curve), time.process_time()
    for _ in range(FLOOR // CHUNK):
        rows = []
        for _ in range(CHUNK):
            key = ec.generate_private_key(curve)
            octets = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            tbs = octets.ljust(TO_BE_SIGNED)
            rows.append((os.urandom(20), tbs + ca_key.sign(tbs, by)))
        store.execute("begin")
        store.executemany("insert into certificate values (?, ?)", rows)
        store.execute("commit")
    seconds = time.process_time() - began
    store.close()
    return seconds / FLOOR


def issue(place: Path, size: int, cores: int, options: tuple[str, ...]) -> Took:
    """Issue one batch in a home of its own, and make sure that all of it is in the store."""
    place.mkdir()
    run(PROGRAM, "init", "--home", "home", "--no-passphrase", cwd=place)
    with (place / "rows.csv").open("w") as rows:
        rows.write("name,email,group\n")
        rows.writelines(f"device-{n:06d},device-{n:06d}@example.com,ops\n" for n in range(size))
    took = run(PROGRAM, "client", "--batch", "rows.csv", "--home", "home", *options, cwd=place, cores=cores)
    with open_store(place / "home" / "store.sqlite") as store:
        assert sum(1 for _ in store.known_serials("clients", at=0)) == size
    return took


def batches(sizes: list[int], cores: list[int]) -> Iterator[tuple[str, str, int, int, tuple[str, ...]]]:
    """Yield what is measured: kind, goal, size, cores, options."""
    for kind, (options, goal) in KINDS.items():
        for size in sizes:
            yield from ((kind, goal, size, count, options) for count in cores)
    yield DEFAULT_ROUNDS[0], "", min(sizes[-1], 1000), cores[-1], DEFAULT_ROUNDS[1]


def main() -> None:
    """Run the benchmark in a directory of its own."""
    parser = new_arguments(__doc__ or "")
    parser.add_argument("--sizes", default="100,10000,100000")
    parser.add_argument("--cores", default="1,2")
    parser.add_argument("--directory", type=Path, help="where to write (default: the system's)")
    arguments = parser.parse_args()
    sizes, cores = ([int(number) for number in text.split(",")] for text in (arguments.sizes, arguments.cores))
    table = Table("batch")
    cores = [count for count in cores if count <= (os.cpu_count() or 1)]
    with new_place("batch", arguments.directory) as place:
        loop, packed_loop, limit = openssl_loop(place, packed=False), openssl_loop(place, packed=True), arithmetic()
        with table.job("signatures alone", unit="/s"):
            table.row("openssl speed", limit)
        for number, (kind, goal, size, count, options) in enumerate(batches(sizes, cores)):
            least, took = floor(place / f"floor-{number}"), issue(place / f"batch-{number}", size, count, options)
            rate, cpu = packed_loop if "PKCS" in kind else loop
            what = f"{kind}, {size:,} rows, {count} core{'s' if count > 1 else ''}"
            with table.job(what, unit="/s", goal=goal):
                table.row("openssl loop", rate)
                table.row("counterseal", size / took.seconds, note=f"{took.megabytes:.0f} MB")
            with table.job(f"CPU for one: {what}", unit="us"):
                table.row("openssl loop", cpu * 1e6)
                table.row("floor", least * 1e6, note="key, its encoding, signature, one row")
                table.row("counterseal", took.cpu / size * 1e6, note=f"{took.cpu / size / least:.1f} x the floor")
    table.finish(arguments.json)


if __name__ == "__main__":
    main()
