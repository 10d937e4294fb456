"""Certificates from a CSR over the API beside ``cfssl serve`` in one run: per second, one client and sixteen at once.

usage: python benchmarks/api.py [--seconds 3] [--rounds 3] [--postgresql] [--json FILE]

Clients in one Python process over kept-alive TLS, ours with a client certificate; the same CSR again and again, P-256
keys. Ours are linted, and each answer leaves after certificate and log entry are on disk; cfssl (Debian: golang-cfssl)
stores the certificate in SQLite, or nothing, and verifies no client. With an Idempotency-Key our answer is kept too.
With --postgresql our service runs once more, alone and as three replicas that the clients are spread over, its store in
a durable PostgreSQL over a Unix socket. Servers and clients share the machine; rounds take turns. What bounds us: at
one client the flush that a certificate waits for, at sixteen Python for each request, with PostgreSQL the statements.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from more_replicas import start_replicas
from table import Table, new_arguments

from api_client import CONFIGURATION, ROLES, Client, make_api
from command import counterseal
from nginx_process import free_port
from postgresql_process import Cluster
from service_process import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from service_process import Running

CONCURRENCY = (1, 16)
START_SECONDS = 30
TABLE = """
    create table certificates (serial_number blob not null, authority_key_identifier blob not null, ca_label blob,
        status blob not null, reason int, expiry timestamp, revoked_at timestamp, pem blob not null,
        primary key (serial_number, authority_key_identifier))
"""
POLICY = {"signing": {"default": {"expiry": "2160h", "usages": ["digital signature", "server auth"]}}}


def new_csr(place: Path) -> str:
    """Return a CSR in PEM."""
    command = "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout app.key -out app.csr"
    command += " -subj /CN=app.example.com -addext subjectAltName=DNS:app.example.com"
    subprocess.run(command.split(), check=True, cwd=place, capture_output=True)
    return (place / "app.csr").read_text()


def post(path: str, document: dict[str, str], *headers: str) -> bytes:
    """Return the HTTP request."""
    content = json.dumps(document).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode() + content


async def rate(
    ports: Sequence[int], context: ssl.SSLContext, request: Callable[[], bytes], *, clients: int, seconds: float
) -> float:
    """Return how many certificates a second all clients together got, each from one of the ports."""
    done, until = 0, time.perf_counter() + seconds

    async def client(port: int) -> None:
        nonlocal done
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="127.0.0.1")
        while time.perf_counter() < until:
            writer.write(request())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b"chunked" in head:
                content = b""
                while size := int(await reader.readline(), 16):
                    content += (await reader.readexactly(size + 2))[:-2]
                await reader.readline()
            else:
                content = await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
            assert b"BEGIN CERTIFICATE" in content, content
            done += 1
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client(ports[number % len(ports)]) for number in range(clients)))
    return done / (time.perf_counter() - began)


def wait_for(port: int) -> None:
    """Return as soon as somebody takes connections there."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
    sys.exit(f"nothing listens on port {port} after {START_SECONDS} s")


@contextmanager
def cfssl(home: Path, place: Path, *, stores: bool) -> Iterator[int]:
    """Sign with cfssl by the key of our CA for servers; it serves TLS with a certificate of ours.

    With ``stores`` each certificate is in SQLite before it leaves, as its own migrations lay the table out.
    """
    place.mkdir()
    made = counterseal(home, "server", "127.0.0.1", "--out", str(place))
    assert made.code == 0, made.stderr
    (place / "ca.pem").write_text(counterseal(home, "ca", "export", "servers").stdout)
    (place / "policy.json").write_text(json.dumps(POLICY))
    with sqlite3.connect(place / "certificates.db") as database:
        database.execute(TABLE)
    (place / "database.json").write_text(json.dumps({"driver": "sqlite3", "data_source": "certificates.db"}))
    port = free_port()
    command = ["cfssl", "serve", "-port", str(port), "-ca", "ca.pem", "-ca-key", str(home / "keys" / "servers.key.pem")]
    command += ["-db-config", "database.json"] * stores
    command += ["-tls-cert", "127.0.0.1.fullchain.pem", "-tls-key", "127.0.0.1.key.pem", "-config", "policy.json"]
    process = subprocess.Popen(
        [*command, "-loglevel", "3"], cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(port)
        yield port
    finally:
        process.kill()
        process.wait()


@contextmanager
def on_postgresql(place: Path) -> Iterator[list[Running]]:
    """Serve from a PostgreSQL of its own, by several replicas."""
    cluster, home = Cluster(place / "pg", durable=True), place / "shared"
    try:
        make_api(home, CONFIGURATION + f'[store]\nurl = "{cluster.create()}"\n')
        with ExitStack() as stack:
            yield [stack.enter_context(running(home)), *start_replicas(stack, home)]
    finally:
        cluster.stop("immediate")


def operator_of(service: Running) -> ssl.SSLContext:
    """Return a context that shows the certificate of who may issue."""
    context = ssl.create_default_context(cafile=str(service.root))
    context.load_cert_chain(*Client(service, ROLES[1]).files)
    return context


def port_of(service: Running) -> int:
    """Return its port."""
    return urlsplit(service.url).port or 0


def main() -> None:
    """Take turns, then show."""
    parser = new_arguments(__doc__ or "")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgresql", action="store_true")
    arguments = parser.parse_args()
    if shutil.which("cfssl") is None:
        sys.exit("cfssl is not installed; Debian: apt-get install golang-cfssl")
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        home = place / "home"
        make_api(home)
        service = stack.enter_context(running(home))
        context = ssl.create_default_context(cafile=str(service.root))
        ours = operator_of(service)
        csr, numbers = new_csr(place), itertools.count()
        port = port_of(service)
        plain = post("/v1/certificates", {"csr": csr, "profile": "server"})

        def keyed() -> bytes:
            return post("/v1/certificates", {"csr": csr, "profile": "server"}, f"Idempotency-Key: {next(numbers)}")

        signed = post("/api/v1/cfssl/sign", {"certificate_request": csr})
        kept = stack.enter_context(cfssl(home, place / "kept", stores=True))
        forgotten = stack.enter_context(cfssl(home, place / "forgotten", stores=False))
        ways = {
            "cfssl serve, SQLite": ([kept], context, lambda: signed),
            "cfssl serve, not stored": ([forgotten], context, lambda: signed),
            "counterseal, durable": ([port], ours, lambda: plain),
            "counterseal, with Idempotency-Key": ([port], ours, keyed),
        }
        if arguments.postgresql:
            place.chmod(0o711)
            services = stack.enter_context(on_postgresql(place))
            shared, ports = operator_of(services[0]), [port_of(one) for one in services]
            ways["counterseal, PostgreSQL"] = (ports[:1], shared, lambda: plain)
            ways[f"counterseal, PostgreSQL, {len(ports)} replicas"] = (ports, shared, lambda: plain)
        table = Table("api")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            for clients in CONCURRENCY:
                rates = {name: [0.0] * 0 for name in ways}
                for way in ways.values():
                    runner.run(rate(*way, clients=clients, seconds=0.5))  # code loaded, files grown
                for _ in range(arguments.rounds):
                    for name, way in ways.items():
                        rates[name].append(runner.run(rate(*way, clients=clients, seconds=arguments.seconds)))
                with table.job(f"certificates, {clients} client{'s' * (clients > 1)}", unit="/s"):
                    for name, values in rates.items():
                        table.row(name, median(values))
    table.finish(arguments.json)


if __name__ == "__main__":
    main()
