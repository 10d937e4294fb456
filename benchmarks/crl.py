"""A new CRL of 1,000, 100,000 and 1,000,000 entries from the store, beside ``openssl ca -gencrl`` from its index.txt.

usage: python benchmarks/crl.py [--sizes 1000,100000,1000000] [--rounds 3] [--directory DIR] [--json FILE]

Whole processes with their largest memory; then, inside one process, from the store to the signed DER, and the next
list with ten entries more. What bounds us: reading the entries out of the index, then hashing them; and the
list's way into the store, which keeps the newest five. A million entries take three minutes to fill in and 3 GB.
"""

from __future__ import annotations

import secrets
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from place import PROGRAM, Took, new_place, run
from table import Table, new_arguments, time_median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from cryptography import x509

from counterseal.authority.listing import list_entries
from counterseal.authority.publish import publish
from counterseal.compose.home import open_authority
from counterseal.pki.crl import RevocationReason, encode_entry, sign_crl
from counterseal.store.records import CertificateRecord, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from counterseal.authority.parts import Authority

NOW = datetime.now(UTC).replace(microsecond=0)
CHUNK = 5000
NEW_ENTRIES = 10
GOALS = {100_000: "0.1 s", 1_000_000: "0.6 s, 400 MB"}
OPENSSL_CONF = """
[ca]
default_ca = x
[x]
database = index.txt
certificate = ca.crt
private_key = ca.key
default_md = sha256
default_crl_days = 7
crl_extensions = crl
[crl]
authorityKeyIdentifier = keyid
"""


def revoked(serial_numbers: list[int]) -> list[tuple[CertificateRecord, bytes]]:
    """Return revoked certificates as the store takes them over."""
    end = int((NOW + timedelta(days=365)).timestamp())
    at = int(NOW.timestamp())
    reason = RevocationReason.KEY_COMPROMISE
    return [
        (
            CertificateRecord(
                serial_number=number,
                issuer="clients",
                name=f"device-{number % 10**9}",
                subject=f"CN=device-{number % 10**9}",
                names=(),
                profile="client",
                group=None,
                status=Status.REVOKED,
                not_before=at,
                not_after=end,
                certificate=None,
                created_at=at,
                created_by="benchmark",
                revoked_at=at,
                revocation_reason=reason.value,
            ),
            encode_entry(number, NOW, reason=reason),
        )
        for number in serial_numbers
    ]


def serial_chunks(count: int) -> Iterator[list[int]]:
    """Yield serial numbers of 17 octets, some thousand at a time."""
    for start in range(0, count, CHUNK):
        yield [1 << 128 | secrets.randbits(128) for _ in range(min(CHUNK, count - start))]


def fill(place: Path, authority: Authority, size: int) -> None:
    """Give both sides the same revoked certificates."""
    ended, at = f"{NOW + timedelta(days=365):%y%m%d%H%M%SZ}", f"{NOW:%y%m%d%H%M%SZ}"
    with (place / "index.txt").open("w") as index:
        for serial_numbers in serial_chunks(size):
            authority.store.adopt(revoked(serial_numbers))
            index.writelines(
                f"R\t{ended}\t{at},keyCompromise\t{number:034X}\tunknown\t/CN=device-{number % 10**9}\n"
                for number in serial_numbers
            )


def best(rounds: int, *command: str | Path, cwd: Path) -> Took:
    """Return the quickest of some runs: a busy machine only ever adds."""
    return min((run(*command, cwd=cwd) for _ in range(rounds)), key=lambda took: took.seconds)


def measure(table: Table, place: Path, size: int, rounds: int) -> None:
    """Measure one size."""
    place.mkdir()
    run(PROGRAM, "init", "--home", "home", "--no-passphrase", cwd=place)
    (place / "openssl.cnf").write_text(OPENSSL_CONF)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key")
    run("openssl", "req", "-x509", *curve, "-subj", "/CN=CA", "-out", "ca.crt", cwd=place)
    with open_authority(place / "home", lambda: None) as authority:
        fill(place, authority, size)
        peer = best(rounds, "openssl", "ca", "-gencrl", "-config", "openssl.cnf", "-out", "crl.pem", cwd=place)
        ours = best(rounds, PROGRAM, "crl", "--home", "home", cwd=place)
        with table.job(f"whole process, {size:,} entries", unit="s"):
            table.row("openssl ca -gencrl", peer.seconds)
            table.row("counterseal crl", ours.seconds, note="with its store; three lists")
        with table.job(f"largest memory, {size:,} entries", unit="MB", goal="400 MB"):
            table.row("openssl ca -gencrl", peer.megabytes)
            table.row("counterseal crl", ours.megabytes)
        anew = medians(lambda: sign(authority), rounds)
        publish(authority)
        authority.store.adopt(revoked([secrets.randbits(128) for _ in range(NEW_ENTRIES)]))
        assert len(x509.load_der_x509_crl(sign_next(authority))) == size + NEW_ENTRIES
        again = medians(lambda: sign_next(authority), rounds)
        for what, of_peer, number in (("to the signed DER", peer.seconds, 0), ("CPU of that", peer.cpu, 1)):
            with table.job(f"{what}, {size:,} entries", unit="s", goal=GOALS.get(size, "")):
                table.row("openssl, whole process", of_peer)
                table.row("counterseal, all entries", anew[number])
                table.row("counterseal, ten more", again[number], note="the last list read, verified, joined with them")


def medians(action: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return the seconds that it takes, and those of CPU, which others on the machine lengthen less."""
    return time_median(action, rounds=rounds), time_median(action, rounds=rounds, clock=time.process_time)


def sign_next(authority: Authority) -> bytes:
    """Return the list that follows the last one."""
    certificate = x509.load_der_x509_certificate(authority.store.ca("clients").certificate)
    now = int(authority.clock().timestamp())
    listing = list_entries(authority, "clients", certificate, now=now, until=now + 7 * 86_400)
    assert listing.taken_over, "the last list is not taken over"
    return sign(authority, listing.before, *listing.added)


def sign(authority: Authority, *entries: bytes | memoryview) -> bytes:
    """Return the list of the store's entries, or of those given."""
    record = authority.store.ca("clients")
    return sign_crl(
        x509.load_der_x509_certificate(record.certificate),
        number=1,
        this_update=NOW,
        next_update=NOW + timedelta(days=7),
        entries=entries or authority.store.revoked("clients", not_expired_at=0),
        signer=authority.keystore.signer(record.key_id),
    )


def main() -> None:
    """Run the benchmark in a directory of its own."""
    parser = new_arguments(__doc__ or "")
    parser.add_argument("--sizes", default="1000,100000,1000000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where to make the stores (default: the system's)")
    arguments = parser.parse_args()
    table = Table("crl")
    for size in map(int, arguments.sizes.split(",")):
        with new_place("crl", arguments.directory) as place:
            measure(table, place / "bench", size, arguments.rounds)
    table.finish(arguments.json)


if __name__ == "__main__":
    main()
