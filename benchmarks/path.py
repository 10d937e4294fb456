"""Path validation per chain beside the cryptography library's verifier and ``openssl verify``, in one run.

usage: python benchmarks/path.py [--rounds 300] [--json FILE]

Certificates are loaded anew for every chain on both sides, from the DER in which they arrive in life: the library's
verifier takes loaded ones only, we load those that may belong to the path. Medians of the CPU time of single chains, in
turns. What bounds us: one signature per certificate and list (as everybody), reading every extension into
objects, and forty checks that all hold the values they compared, which the others do not make. "In words" has every
message read too. ``openssl verify`` is timed with many chains in one process.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification
from table import Table, new_arguments

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from chains import NOW, Case, ca, cases, crl, end_entity, intermediate, root
from counterseal.pki.openssl.verify import verify
from counterseal.pki.path.explain import Explanation, explain
from counterseal.pki.path.opinion import like_openssl
from counterseal.pki.path.revocation_list import RevocationList
from counterseal.pki.profile import Purpose
from pki_fixtures import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GOAL = "0.5 ms"
IN_ONE_PROCESS = 200


class Chain:
    """One question, its certificates as DER."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.sent = [one.public_bytes(Encoding.DER) for one in case.chain]
        self.anchors = [one.public_bytes(Encoding.DER) for one in case.anchors]
        self.lists = None if case.crls is None else [one.public_bytes(Encoding.DER) for one in case.crls]
        self.at_hand = case.lists

    def explain(self) -> None:
        """Ask us, with the lists read anew."""
        self._explain(None if self.lists is None else [RevocationList(one) for one in self.lists])

    def explain_in_words(self) -> None:
        """Ask us, and read what every check has to say."""
        assert all(check.message for check in self._explain(None).best.checks)

    def explain_with_lists_at_hand(self) -> None:
        """Ask us, with the lists read before, as a program has them that looks at more than one chain."""
        self._explain(self.at_hand)

    def _explain(self, lists: Sequence[RevocationList] | None) -> Explanation:
        end, *others = self.sent
        told = explain(
            end,
            others,
            self.anchors,
            purpose=self.case.purpose,
            at=self.case.at,
            names=self.case.names,
            crls=lists,
        )
        assert told.valid == (not self.case.fails)
        return told

    def library(self) -> None:
        """Ask the library."""
        end, *others = load(self.sent)
        builder = verification.PolicyBuilder().store(verification.Store(load(self.anchors))).time(self.case.at)
        try:
            if self.case.purpose is Purpose.SERVER:
                builder.build_server_verifier(self.case.names[0]).verify(end, others)  # type: ignore[arg-type] # a DNS name
            else:
                like_openssl(builder).build_client_verifier().verify(end, others)
            accepted = True
        except verification.VerificationError:
            accepted = False
        assert accepted == (not self.case.fails)

    def foretell(self) -> None:
        """Foretell OpenSSL."""
        end, *others = load(self.sent)
        told = verify(end, others, load(self.anchors), purpose=self.case.purpose, at=self.case.at)
        assert told.first == self.case.openssl


def load(contents: Sequence[bytes]) -> list[x509.Certificate]:
    """Load certificates anew."""
    return [x509.load_der_x509_certificate(content) for content in contents]


def openssl_ms(case: Case, place: Path) -> float:
    """Return the CPU milliseconds of ``openssl verify`` per chain, the start of the process left out."""
    for name, found in (("end", case.chain[:1]), ("sent", case.chain[1:]), ("anchors", case.anchors)):
        (place / f"{name}.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in found))
    command = ["openssl", "verify", "-attime", str(int(case.at.timestamp())), "-CAfile", "anchors.pem"]
    if case.crls is not None:
        (place / "crls.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in case.crls))
        command += ["-CRLfile", "crls.pem", "-crl_check_all"]

    command += ["-untrusted", "sent.pem"]

    def run(count: int) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*command, *["end.pem"] * count], cwd=place, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000

    return median((run(IN_ONE_PROCESS + 1) - run(1)) / IN_ONE_PROCESS for _ in range(5))


def take_turns(rounds: int, jobs: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Return the median CPU milliseconds of each job; every round runs each of them once."""
    seen: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            began = time.process_time()
            job()
            seen[name].append((time.process_time() - began) * 1000)
    return {name: median(times[rounds // 10 :]) for name, times in seen.items()}


def crowd() -> Case:
    """Return a chain among fifty other intermediates of the same name, each with another key."""
    others = tuple(
        ca("intermediate", root(), key=key_of("p-256", 100 + number)).make().certificate for number in range(50)
    )
    end = end_entity(intermediate()).make().certificate
    return Case("crowd", (end, *others, intermediate().certificate), ())


def main() -> None:
    """Measure every chain."""
    parser = new_arguments(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=300)
    arguments = parser.parse_args()
    by_name = {case.name: case for case in cases()}
    good = by_name["good server"]
    listed = replace(good, crls=(crl(root()), crl(intermediate(), revoked=range(1, 1001))))
    chains = {
        "server, chain of 3, P-256": good,
        "client, chain of 3, P-256": by_name["good client"],
        "server, expired": by_name["end entity expired"],
        "server among 50 CAs of one name": crowd(),
    }
    assert good.at == NOW
    table = Table("path")
    with tempfile.TemporaryDirectory() as directory:
        for name, case in chains.items():
            chain = Chain(case)
            jobs = {"cryptography": chain.library, "counterseal, explained": chain.explain}
            if case is good:
                jobs["counterseal, in words"] = chain.explain_in_words
                jobs["counterseal, as OpenSSL"] = chain.foretell
            with table.job(name, unit="ms", goal=GOAL):
                for who, value in take_turns(arguments.rounds, jobs).items():
                    table.row(who, value)
                if case is good:
                    table.row("openssl verify, in one process", openssl_ms(case, Path(directory)))
    with table.job("server with CRLs, 1,000 entries", unit="ms", goal=GOAL):
        chain = Chain(listed)
        jobs = {
            "counterseal without CRLs": Chain(good).explain,
            "counterseal, lists at hand": chain.explain_with_lists_at_hand,
            "counterseal, lists read anew": chain.explain,
        }
        for who, value in take_turns(arguments.rounds, jobs).items():
            table.row(who, value)
        with tempfile.TemporaryDirectory() as directory:
            table.row("openssl verify -crl_check_all", openssl_ms(listed, Path(directory)))
    table.finish(arguments.json)


if __name__ == "__main__":
    main()
