"""OCSP answers per second beside ``openssl ocsp`` and ``cfssl ocspserve`` in one run: directly, and from nginx's cache.

usage: python benchmarks/ocsp.py [--seconds 3] [--rounds 3] [--postgresql] [--json FILE]

wrk (Debian: wrk), eight connections, asks about one good certificate of a thousand, each as soon as it has its answer;
connections are kept where the server keeps them. ``openssl ocsp`` alone is asked from Python, which it keeps waiting: a
connection that ends without a question, as wrk's first one does, has it spin for ever. The servers have one core to
themselves and the clients another, so each server is measured; it takes two cores that nobody else uses. Each of our
answers is known to be what the store says at that moment; openssl reads its index once, cfssl a file of signed answers.
nginx runs deploy/nginx/public.conf as it is shipped, one worker. With --postgresql our service runs once more, alone
and as three replicas that are asked at once and share that one core, their store in a durable PostgreSQL over a Unix
socket, where a kept answer is used until a change is announced. The second table has the processor time of each server.
What bounds us: the kernel, handing octets over, and HTTP in Python where we sign.
"""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509 import ocsp

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from more_replicas import REPLICAS, start_replicas
from ocsp_clients import CLIENTS, Way, check, pin, processor_seconds, rate
from table import Table, new_arguments

from command import counterseal
from nginx_process import free_port
from postgresql_process import Cluster
from public_cache import cache_configuration
from service_process import make_ca, running

if TYPE_CHECKING:
    from collections.abc import Iterator

PINNED = ["taskset", "--cpu-list", "0"]
CERTIFICATES = 1_000


def request(subject: x509.Certificate, ca: x509.Certificate, nonce: bytes | None = None) -> bytes:
    """Return the request in DER."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(subject, ca, SHA1())  # noqa: S303 - as clients ask
    if nonce:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def in_path(content: bytes) -> str:
    """Return the question as it stands in a path (RFC 6960 A.1)."""
    return quote(base64.b64encode(content).decode(), safe="")


@contextmanager
def openssl(home: Path, place: Path, ca: x509.Certificate, subject: x509.Certificate) -> Iterator[tuple[int, int]]:
    """Answer with ``openssl ocsp``, by the CA's own key."""
    serials = [*range(1, CERTIFICATES), subject.serial_number]
    (place / "index").write_text("".join(f"V\t400101000000Z\t\t{one:034X}\tunknown\t/CN={one}\n" for one in serials))
    (place / "ca.pem").write_bytes(ca.public_bytes(Encoding.PEM))
    port = free_port()
    command = [*PINNED, "openssl", "ocsp", "-port", str(port), "-index", "index", "-CA", "ca.pem", "-rsigner", "ca.pem"]
    command += ["-rkey", str(home / "keys" / "clients.key.pem"), "-nmin", "60"]
    process = subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout
        assert process.stdout.readline().startswith(b"ACCEPT")
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


@contextmanager
def cfssl(home: Path, place: Path, ca: x509.Certificate, subject: x509.Certificate) -> Iterator[tuple[int, int]]:
    """Answer with ``cfssl ocspserve``: answers signed beforehand by the CA's key, all in memory."""
    key = load_pem_private_key((home / "keys" / "clients.key.pem").read_bytes(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    now = datetime.now(UTC).replace(microsecond=0)
    name, info = ca.subject.public_bytes(), ca.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    lines = []
    for number in [*range(1, CERTIFICATES), subject.serial_number]:
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            issuer_name_hash=sha1(name).digest(),  # noqa: S324 - as clients ask
            issuer_key_hash=sha1(info).digest(),  # noqa: S324 - as clients ask
            serial_number=number,
            algorithm=SHA1(),  # noqa: S303 - as clients ask
            cert_status=ocsp.OCSPCertStatus.GOOD,
            this_update=now,
            next_update=now + timedelta(hours=12),
            revocation_time=None,
            revocation_reason=None,
        )
        signed = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, ca).sign(key, SHA256())
        lines.append(base64.b64encode(signed.public_bytes(Encoding.DER)).decode())
    (place / "responses").write_text("\n".join(lines))
    port = free_port()
    command = [*PINNED, "cfssl", "ocspserve", "-address", "127.0.0.1", "-port", str(port), "-responses", "responses"]
    process = subprocess.Popen(
        [*command, "-loglevel", "5"], cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 10
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


@contextmanager
def nginx(place: Path, responder: str) -> Iterator[tuple[int, int]]:
    """Put nginx with the cache that we ship in front of the responder."""
    port, run = free_port(), place / "nginx"
    run.mkdir()
    (run / "nginx.conf").write_text(cache_configuration(run, responder, port))
    command = ["/usr/sbin/nginx", "-p", str(run), "-c", str(run / "nginx.conf"), "-e", "stderr", "-g", "daemon off;"]
    process = subprocess.Popen([*PINNED, *command])
    try:
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def fill(home: Path, store: str = "") -> list[x509.Certificate]:
    """Make a CA with a thousand certificates, return one and its issuer; ``store`` names another store than a file."""
    make_ca(home, f'{store}[serve]\nnames = ["127.0.0.1"]\nhttp_listen = "127.0.0.1:{free_port()}"\n')
    rows, batch, asked = (home.with_name(f"{home.name}-{one}") for one in ("rows", "batch", "asked"))
    rows.write_text("name\n" + "".join(f"device{number}\n" for number in range(CERTIFICATES - 1)))
    assert counterseal(home, "client", "--batch", str(rows), "--out", str(batch)).code == 0
    assert counterseal(home, "client", "asked", "--out", str(asked)).code == 0
    return x509.load_pem_x509_certificates(next(asked.glob("*.fullchain.pem")).read_bytes())


@contextmanager
def on_postgresql(place: Path) -> Iterator[dict[str, Way]]:
    """Answer from a PostgreSQL of its own, by one replica and by three."""
    cluster, home = Cluster(place / "pg", durable=True), place / "shared"
    pin(cluster.pid)
    try:
        subject, ca = fill(home, f'[store]\nurl = "{cluster.create()}"\n')
        plain, fresh = request(subject, ca), request(subject, ca, bytes(range(32)))
        with ExitStack() as stack:
            services = [stack.enter_context(running(home)), *start_replicas(stack, home)]
            urls = [f"http://{one.http_address}/ocsp/clients" for one in services]
            processes = tuple(one.process.pid for one in services)
            for process in processes:
                pin(process)
            yield {
                "counterseal, PostgreSQL, signs each": Way(urls[0], processes[:1], fresh),
                "counterseal, PostgreSQL, kept, POST": Way(urls[0], processes[:1], plain),
                f"the same, {REPLICAS} replicas on that core": Way(urls[0], processes, plain, tuple(urls[1:])),
            }
    finally:
        cluster.stop("immediate")


def main() -> None:
    """Take turns, then show."""
    parser = new_arguments(__doc__ or "")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgresql", action="store_true")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None or len(os.sched_getaffinity(0)) == 1:
        sys.exit("this takes wrk (Debian: apt-get install wrk) and two cores")
    os.sched_setaffinity(0, {1})
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        place.chmod(0o711)
        home = place / "home"
        subject, ca = fill(home)
        service = stack.enter_context(running(home))
        pin(service.process.pid)
        ours, of = f"http://{service.http_address}/ocsp/clients", (service.process.pid,)
        plain, fresh = request(subject, ca), request(subject, ca, bytes(range(32)))
        signed_before = stack.enter_context(cfssl(home, place, ca, subject))
        signing = stack.enter_context(openssl(home, place, ca, subject))
        cached = stack.enter_context(nginx(place, service.http_address or ""))
        ways = {
            "openssl ocsp, signs each": Way(f"http://127.0.0.1:{signing[0]}/", signing[1:], plain, keeps=False),
            "cfssl ocspserve, signed before": Way(f"http://127.0.0.1:{signed_before[0]}/", signed_before[1:], plain),
            "counterseal, signs each": Way(ours, of, fresh),
            "counterseal, kept, POST": Way(ours, of, plain),
            "counterseal, kept, GET": Way(f"{ours}/{in_path(plain)}", of),
            "counterseal, nginx cache": Way(f"http://127.0.0.1:{cached[0]}/ocsp/clients/{in_path(plain)}", cached[1:]),
        }
        if arguments.postgresql:
            ways |= stack.enter_context(on_postgresql(place))
        table, rates, costs = Table("ocsp"), defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
        for way in ways.values():
            check(way)
            rate(way, place, 1)  # caches filled, code loaded
        for _ in range(arguments.rounds):
            for name, way in ways.items():
                before = sum(map(processor_seconds, way.processes))
                rates[name].append(rate(way, place, arguments.seconds))
                used = sum(map(processor_seconds, way.processes)) - before
                costs[name].append(used / (rates[name][-1] * arguments.seconds) * 1e6)
        with table.job(f"answers, {CLIENTS} connections, one core", unit="/s"):
            for name, values in rates.items():
                table.row(name, median(values))
        with table.job("processor time of the server for one answer", unit="µs"):
            for name, values in costs.items():
                table.row(name, median(values))
    table.finish(arguments.json)


if __name__ == "__main__":
    main()
