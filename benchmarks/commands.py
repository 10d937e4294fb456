"""Whole commands beside the recipe's openssl and easy-rsa in one run: a server certificate, a client's, looking.

usage: python benchmarks/commands.py [--rounds 15] [--cpu] [--json FILE]

Medians of wall time, or with --cpu of CPU time, over rounds that take turns, so that a drifting machine weighs on all
alike. The CA keys are unencrypted on both sides, as easy-rsa's ``nopass``; one row shows what our encrypted key costs.
Bytecode is cached, as it is everywhere after the first run. What bounds us is loading code: the first job loads what
commands stand on and does nothing. With an encrypted CA key scrypt comes on top, by intention.
"""

from __future__ import annotations

import os
import resource
import secrets
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from place import PROGRAM, new_place
from table import Table, new_arguments

if TYPE_CHECKING:
    from collections.abc import Callable

EASY_RSA = Path("/usr/share/easy-rsa/easyrsa")
LOOKING = "import click, sqlite3"
KEYS = f"{LOOKING}, cryptography.hazmat.primitives.serialization, cryptography.hazmat.primitives.asymmetric.ec"
CERTIFICATES = f"{KEYS}, cryptography.x509"
PASSPHRASE = secrets.token_hex(16)


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> None:
    """Run one command to its end; a failure ends the benchmark."""
    ours = {name: value for name, value in (env or os.environ).items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([str(word) for word in command], cwd=cwd, env=ours, check=True, capture_output=True)


def cpu_seconds() -> float:
    """Return the CPU time of all programs that were run and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def take_turns(
    rounds: int, jobs: dict[str, Callable[[int], None]], clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Return the median milliseconds of each job; every round runs each of them once."""
    seen: dict[str, list[float]] = {name: [] for name in jobs}
    for number in range(rounds + 1):
        for name, job in jobs.items():
            began = clock()
            job(number)
            seen[name].append((clock() - began) * 1000)
    return {name: median(times[1:]) for name, times in seen.items()}


class Bench:
    """Three CAs in one directory: ours unencrypted and encrypted, openssl's by hand, easy-rsa's."""

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / "passphrase").touch(mode=0o600)
        (place / "passphrase").write_text(PASSPHRASE + "\n")
        run(PROGRAM, "init", "--home", "plain", "--no-passphrase", cwd=place)
        run(PROGRAM, "init", "--home", "sealed", "--passphrase-file", "passphrase", cwd=place)
        curve = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        run("openssl", "genpkey", *curve, "-out", "ca.key", cwd=place)
        run("openssl", "req", "-new", "-x509", "-key", "ca.key", "-subj", "/CN=CA", "-out", "ca.crt", cwd=place)
        self.curve = curve
        self.easy = {**os.environ, "EASYRSA_PKI": str(place / "pki"), "EASYRSA_BATCH": "1", "EASYRSA_ALGO": "ec"}
        if EASY_RSA.exists():
            self._easy_rsa("init-pki")
            self._easy_rsa("build-ca", "nopass")

    def version(self, _: int) -> None:
        """Ask us."""
        run(PROGRAM, "--version", cwd=self.place)

    def openssl_version(self, _: int) -> None:
        """Ask openssl."""
        run("openssl", "version", cwd=self.place)

    def load(self, code: str) -> None:
        """Load what commands stand on."""
        run(sys.executable, "-c", code, cwd=self.place)

    def look(self, *words: str) -> None:
        """Ask the inventory."""
        run(PROGRAM, *words, "--home", "plain", cwd=self.place)

    def complete(self, words: str) -> None:
        """Press TAB in bash behind these words."""
        asked = {"_COUNTERSEAL_COMPLETE": "bash_complete", "COMP_WORDS": f"counterseal {words}"}
        number = {"COMP_CWORD": str(words.count(" ") + 1), "COUNTERSEAL_HOME": "plain"}
        run(PROGRAM, cwd=self.place, env={**os.environ, **asked, **number})

    def server(self, number: int, *, home: str = "plain") -> None:
        """Make a server certificate, stored, with its files."""
        words = ("server", f"s{number}.example", "--home", home, "--out", f"out-{home}")
        run(PROGRAM, *words, "--passphrase-file", "passphrase", cwd=self.place)

    def client(self, number: int) -> None:
        """Make a client certificate with its PKCS#12."""
        run(PROGRAM, "client", f"c{number}", "--home", "plain", "--out", "out-plain", cwd=self.place)

    def openssl_server(self, number: int) -> None:
        """Make key, request and certificate: the recipe's three commands."""
        name = f"o{number}"
        run("openssl", "genpkey", *self.curve, "-out", f"{name}.key", cwd=self.place)
        request = ("-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
        run("openssl", "req", "-new", *request, cwd=self.place)
        sign = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "90", "-out", f"{name}.crt")
        run("openssl", "x509", "-req", "-in", f"{name}.csr", *sign, cwd=self.place)

    def openssl_client(self, number: int) -> None:
        """Do the same, and pack the PKCS#12."""
        self.openssl_server(number)
        pack = ("-inkey", f"o{number}.key", "-in", f"o{number}.crt", "-certfile", "ca.crt", "-out", f"o{number}.p12")
        run("openssl", "pkcs12", "-export", *pack, "-passout", "file:passphrase", cwd=self.place)

    def easy_server(self, number: int) -> None:
        """Run easy-rsa's one command."""
        self._easy_rsa("build-server-full", f"es{number}", "nopass")

    def easy_client(self, number: int) -> None:
        """Run easy-rsa's two commands."""
        self._easy_rsa("build-client-full", f"ec{number}", "nopass")
        environment = {**self.easy, "EASYRSA_PASSOUT": f"file:{self.place}/passphrase"}
        run("/bin/sh", EASY_RSA, "export-p12", f"ec{number}", cwd=self.place, env=environment)

    def _easy_rsa(self, *words: str) -> None:
        run("/bin/sh", EASY_RSA, *words, cwd=self.place, env=self.easy)


def jobs_of(bench: Bench) -> list[tuple[str, str, dict[str, Callable[[int], None]]]]:
    """Return each job with its goal, its yardstick first."""
    with_easy = EASY_RSA.exists()
    return [
        (
            "loaded, and nothing done",
            "",
            {
                "Python": lambda _: bench.load("pass"),
                "click, sqlite3": lambda _: bench.load(LOOKING),
                "and keys of cryptography": lambda _: bench.load(KEYS),
                "and its X.509 classes": lambda _: bench.load(CERTIFICATES),
            },
        ),
        ("--version", "", {"openssl version": bench.openssl_version, "counterseal": bench.version}),
        (
            "one server certificate",
            "2 x openssl, 0.5 x easy-rsa",
            {
                "openssl, 3 commands": bench.openssl_server,
                **({"easy-rsa": bench.easy_server} if with_easy else {}),
                "counterseal": bench.server,
                "counterseal, CA key encrypted": lambda number: bench.server(number, home="sealed"),
            },
        ),
        (
            "one client certificate with PKCS#12",
            "2.5 x openssl, 0.4 x easy-rsa",
            {
                "openssl, 4 commands": bench.openssl_client,
                **({"easy-rsa, 2 commands": bench.easy_client} if with_easy else {}),
                "counterseal": bench.client,
            },
        ),
        (
            "looking",
            "",
            {
                "click, sqlite3 loaded": lambda _: bench.load(LOOKING),
                "counterseal list": lambda _: bench.look("list"),
                "counterseal show": lambda _: bench.look("show", "s1.example"),
                "TAB after counterseal": lambda _: bench.complete(""),
                "TAB after counterseal show": lambda _: bench.complete("show s"),
                "TAB after counterseal revoke": lambda _: bench.complete("revoke s"),
            },
        ),
    ]


def measure(bench: Bench, table: Table, rounds: int, clock: Callable[[], float]) -> None:
    """Measure all jobs and put them into the table."""
    for job, goal, commands in jobs_of(bench):
        figures = take_turns(rounds, commands, clock)
        with table.job(job, unit="ms", goal=goal):
            for who, value in figures.items():
                table.row(who, value)


def main() -> None:
    """Run the benchmark in a directory of its own."""
    parser = new_arguments(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--cpu", action="store_true", help="CPU time instead of wall time, for a busy machine")
    arguments = parser.parse_args()
    with new_place("commands") as place:
        table = Table("commands")
        measure(Bench(place), table, arguments.rounds, cpu_seconds if arguments.cpu else time.perf_counter)
        table.finish(arguments.json)


if __name__ == "__main__":
    main()
