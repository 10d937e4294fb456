"""OCSP answers per second beside ``openssl ocsp`` and ``cfssl ocspserve`` in one run: directly, and from nginx's cache.

usage: python benchmarks/ocsp.py [--seconds 3] [--rounds 3] [--postgresql] [--json FILE]

Eight clients in one Python process ask about one good certificate of a thousand, each as soon as it has its answer;
connections are kept where the server keeps them (``openssl ocsp`` answers HTTP/1.0, one request a connection, some of
which it resets). Each of our answers looks into the store; openssl reads its index once, cfssl a file of signed
answers. Servers and clients share the machine, so the second table has the processor time of each server, which does
not depend on who else is busy. With --postgresql our service runs once more, its store in a durable PostgreSQL over a
Unix socket, where a kept answer is used until a change is announced. What bounds us: the kernel, handing octets over,
and HTTP in Python where we sign.
"""

from __future__ import annotations

import asyncio
import base64
import os
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

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509 import ocsp

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from table import Table, new_arguments

from command import counterseal
from nginx_process import free_port
from postgresql_process import Cluster
from service_process import make_ca, running

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENTS = 8
CERTIFICATES = 1_000


def request(subject: x509.Certificate, ca: x509.Certificate, nonce: bytes | None = None) -> bytes:
    """Return the request in DER."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(subject, ca, SHA1())  # noqa: S303 - as clients ask
    if nonce:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def post(content: bytes, path: str) -> bytes:
    """Return the HTTP request with the question in its body."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/ocsp-request\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def get(content: bytes, path: str) -> bytes:
    """Return the HTTP request with the question in its path."""
    return f"GET {path}/{quote(base64.b64encode(content).decode(), safe='')} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


async def rate(port: int, sent: bytes, seconds: float) -> float:
    """Return how many good answers a second all clients together got."""
    done, until = 0, time.perf_counter() + seconds

    async def client() -> None:
        nonlocal done
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        while time.perf_counter() < until:
            try:
                reader, writer = streams or await asyncio.open_connection("127.0.0.1", port)
                writer.write(sent)
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                content = await reader.readexactly(length)
            except (ConnectionError, asyncio.IncompleteReadError):
                streams = None
                continue
            done += ocsp.load_der_ocsp_response(content).certificate_status is ocsp.OCSPCertStatus.GOOD
            streams = (reader, writer) if head.startswith(b"HTTP/1.1") else None
            if streams is None:
                writer.close()
        if streams:
            streams[1].close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return done / (time.perf_counter() - began)


def processor_seconds(process: int) -> float:
    """Return the processor time that a process and its children have used so far."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    used = 0
    for one in (str(process), *children):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / os.sysconf("SC_CLK_TCK")


@contextmanager
def openssl(home: Path, place: Path, ca: x509.Certificate, subject: x509.Certificate) -> Iterator[tuple[int, int]]:
    """Answer with ``openssl ocsp``, by the CA's own key."""
    serials = [*range(1, CERTIFICATES), subject.serial_number]
    (place / "index").write_text("".join(f"V\t400101000000Z\t\t{one:034X}\tunknown\t/CN={one}\n" for one in serials))
    (place / "ca.pem").write_bytes(ca.public_bytes(Encoding.PEM))
    port = free_port()
    command = ["openssl", "ocsp", "-port", str(port), "-index", "index", "-CA", "ca.pem", "-rsigner", "ca.pem"]
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
    command = ["cfssl", "ocspserve", "-address", "127.0.0.1", "-port", str(port), "-responses", "responses"]
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
    """Put nginx with a cache in front of the responder."""
    port, temporary = free_port(), ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{one}_temp_path {place}/{one};" for one in temporary)
    (place / "nginx.conf").write_text(f"""
        daemon off; pid {place}/pid; error_log stderr error; {"user root;" if os.geteuid() == 0 else ""}
        events {{ }}
        http {{ access_log off; {paths} proxy_cache_path {place}/cache keys_zone=ocsp:1m;
            server {{ listen 127.0.0.1:{port}; keepalive_requests 1000000;
                location / {{ proxy_pass http://{responder}; proxy_cache ocsp; proxy_cache_lock on; }} }} }}""")
    process = subprocess.Popen(["/usr/sbin/nginx", "-p", str(place), "-c", str(place / "nginx.conf")])
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
def on_postgresql(place: Path) -> Iterator[dict[str, tuple[int, int, bytes]]]:
    """Answer from a PostgreSQL of its own."""
    cluster, home = Cluster(place / "pg", durable=True), place / "shared"
    try:
        subject, ca = fill(home, f'[store]\nurl = "{cluster.create()}"\n')
        with running(home) as service:
            port = int((service.http_address or "").rpartition(":")[2])
            plain, fresh = request(subject, ca), request(subject, ca, bytes(range(32)))
            yield {
                "counterseal, PostgreSQL, signs each": (port, service.process.pid, post(fresh, "/ocsp/clients")),
                "counterseal, PostgreSQL, kept, POST": (port, service.process.pid, post(plain, "/ocsp/clients")),
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
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        place.chmod(0o711)
        home = place / "home"
        subject, ca = fill(home)
        service = stack.enter_context(running(home))
        responder = service.http_address or ""
        ours = (int(responder.rpartition(":")[2]), service.process.pid)
        plain, fresh = request(subject, ca), request(subject, ca, bytes(range(32)))
        signed_before = stack.enter_context(cfssl(home, place, ca, subject))
        signing = stack.enter_context(openssl(home, place, ca, subject))
        cached = stack.enter_context(nginx(place, responder))
        ways = {
            "openssl ocsp, signs each": (*signing, post(plain, "/")),
            "cfssl ocspserve, signed before": (*signed_before, post(plain, "/")),
            "counterseal, signs each": (*ours, post(fresh, "/ocsp/clients")),
            "counterseal, kept, POST": (*ours, post(plain, "/ocsp/clients")),
            "counterseal, kept, GET": (*ours, get(plain, "/ocsp/clients")),
            "counterseal, nginx cache": (*cached, get(plain, "/ocsp/clients")),
        }
        if arguments.postgresql:
            ways |= stack.enter_context(on_postgresql(place))
        table, rates, costs = Table("ocsp"), defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            for way in ways.values():
                runner.run(rate(way[0], way[2], 0.5))  # caches filled, code loaded
            for _ in range(arguments.rounds):
                for name, (port, process, sent) in ways.items():
                    before = processor_seconds(process)
                    rates[name].append(runner.run(rate(port, sent, arguments.seconds)))
                    used = processor_seconds(process) - before
                    costs[name].append(used / (rates[name][-1] * arguments.seconds) * 1e6)
        with table.job(f"answers, {CLIENTS} clients", unit="/s"):
            for name, values in rates.items():
                table.row(name, median(values))
        with table.job("processor time of the server for one answer", unit="µs"):
            for name, values in costs.items():
                table.row(name, median(values))
    table.finish(arguments.json)


if __name__ == "__main__":
    main()
