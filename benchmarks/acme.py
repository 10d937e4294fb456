"""Whole ACME orders beside pebble in one run: per second and their latency, one client and sixteen at once.

usage: python benchmarks/acme.py [--orders 300] [--rounds 2] [--postgresql] [--json FILE]

Every order is for another identifier and has a fresh key: newOrder, authorization, challenge, polls until the order is
ready, finalize, certificate, each request signed and over kept-alive TLS. Ours validates http-01 for real (addresses in
127.0.0.0/8, answered by a web server of this script) and every answer leaves after its commit is on disk; pebble keeps
all in memory and is told to take every challenge as valid. Renewals are orders whose authorization is still valid.
With --postgresql our server runs a third time, its store in a durable PostgreSQL over a Unix socket.
Servers and clients share the machine, so rounds take turns, and the processor time of each server for an order is shown
too. What bounds us: Python for each of six requests and their seven verifications, and at one client the two to three
flushes that an order waits for.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import uvloop
from cryptography import x509

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from table import Table, new_arguments, time_median

from acme_signing import ClientKey, b64, csr, jws
from postgresql_process import Cluster
from service_process import make_ca, running

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_ONCE = (1, 16)
POLL_SECONDS = 0.002


@dataclass
class Fast:
    """One kept connection of an account; as lean as a client in Python can be."""

    context: ssl.SSLContext
    directory: dict[str, Any]
    key: ClientKey
    kid: str | None = None
    nonce: str | None = None
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def fetch(self, method: str, url: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        """Send one request and return status, headers and body."""
        parts = urlsplit(url)
        if self.streams is None:
            self.streams = await asyncio.open_connection(parts.hostname, parts.port, ssl=self.context)
        reader, writer = self.streams
        head = f"{method} {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/jose+json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1)[:1] + line.split(": ", 1)[1:] for line in lines[1:] if line)
        status = int(lines[0].split()[1])
        content = b"" if method == "HEAD" else await _body(reader, headers)
        self.nonce = headers.get("replay-nonce", self.nonce)
        return status, headers, content

    async def post(self, url: str, payload: object = None) -> tuple[dict[str, str], Any]:
        """Sign, send, and return headers and document."""
        if self.nonce is None:
            await self.fetch("HEAD", self.directory["newNonce"])
        own = {"kid": self.kid} if self.kid else {"jwk": self.key.jwk}
        nonce, self.nonce = self.nonce, None
        signed = jws(self.key, payload, nonce=nonce, url=url, **own)
        status, headers, content = await self.fetch("POST", url, json.dumps(signed).encode())
        assert status in {200, 201}, (url, status, content)
        return headers, json.loads(content) if headers["content-type"].startswith("application/json") else content

    async def wait(self, url: str, status: str) -> Any:  # noqa: ANN401 - a document
        """Poll until the order has this status."""
        while True:
            _, order = await self.post(url)
            if order["status"] == status:
                return order
            await asyncio.sleep(POLL_SECONDS)

    async def order(self, address: str) -> None:
        """Get one certificate."""
        identifier = {"type": "ip", "value": address}
        headers, order = await self.post(self.directory["newOrder"], {"identifiers": [identifier]})
        if order["status"] == "pending":
            _, authorization = await self.post(order["authorizations"][0])
            (challenge,) = [one for one in authorization["challenges"] if one["type"] == "http-01"]
            await self.post(challenge["url"], {})
            order = await self.wait(headers["location"], "ready")
        name = x509.IPAddress(ip_address(address))
        _, done = await self.post(order["finalize"], {"csr": b64(csr(name))})
        if done["status"] != "valid":
            done = await self.wait(headers["location"], "valid")
        _, chain = await self.post(done["certificate"])
        assert chain.startswith(b"-----BEGIN CERTIFICATE-----")


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    content = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        content += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return content


@dataclass
class Server:
    """A server to be measured."""

    name: str
    directory: str
    context: ssl.SSLContext
    process: int
    addresses: Iterator[str]
    answers: dict[str, str] = field(default_factory=dict)
    key: ClientKey = field(default_factory=ClientKey)
    kid: str | None = None
    seconds: dict[tuple[str, int], list[list[float]]] = field(default_factory=dict)
    rates: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    costs: dict[tuple[str, int], list[float]] = field(default_factory=dict)

    async def clients(self, number: int) -> list[Fast]:
        """Return clients of one account, connected."""
        first = Fast(self.context, {}, self.key, self.kid)
        _, _, content = await first.fetch("GET", self.directory)
        directory = json.loads(content)
        first.directory = directory
        if self.kid is None:
            headers, _ = await first.post(directory["newAccount"], {"termsOfServiceAgreed": True})
            self.kid = first.kid = headers["location"]
            self.answers["thumbprint"] = self.key.thumbprint
        return [first, *(Fast(self.context, directory, self.key, self.kid) for _ in range(number - 1))]

    async def measure(self, kind: str, orders: int, at_once: int) -> None:
        """Do so many orders, ``at_once`` of them at a time."""
        clients = await self.clients(at_once)
        fresh = [next(self.addresses) for _ in range(orders if kind == "new" else at_once)]
        if kind == "renewal":
            await asyncio.gather(*(client.order(one) for client, one in zip(clients, fresh, strict=True)))
        work = iter(fresh if kind == "new" else [fresh[number % at_once] for number in range(orders)])
        times: list[float] = []

        async def go(client: Fast) -> None:
            for address in work:
                began = time.perf_counter()
                await client.order(address)
                times.append(time.perf_counter() - began)

        began, used = time.perf_counter(), self.processor_seconds()
        await asyncio.gather(*map(go, clients))
        self.rates.setdefault((kind, at_once), []).append(orders / (time.perf_counter() - began))
        self.costs.setdefault((kind, at_once), []).append((self.processor_seconds() - used) / orders * 1000)
        self.seconds.setdefault((kind, at_once), []).append(times)
        for client in clients:
            if client.streams:
                client.streams[1].close()

    def processor_seconds(self) -> float:
        """Return the processor time used so far."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Return the resident memory in MB."""
        status = Path(f"/proc/{self.process}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


@contextmanager
def web(answers: dict[str, str]) -> Iterator[int]:
    """Answer http-01 for every address of this machine's loopback network."""
    with socket.socket() as listener:
        listener.bind(("", 0))
        listener.listen(256)
        Thread(target=_answer, args=(listener, answers), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _answer(listener: socket.socket, answers: dict[str, str]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            token = connection.recv(4096).split(b" ")[1].rpartition(b"/")[2]
            body = token + b"." + answers["thumbprint"].encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


@contextmanager
def ours(place: Path, name: str = "counterseal", store: str = "") -> Iterator[Server]:
    """Run our server; ``store`` is the table of its configuration that names another store than a file."""
    answers: dict[str, str] = {}
    with web(answers) as port:
        rules = f'{store}[acme]\nallow_networks = ["127.0.0.0/8"]\nhttp_port = {port}\norders_per_hour = 0\n'
        make_ca(place / "home", rules)
        with running(place / "home") as service:
            context = ssl.create_default_context(cafile=str(service.root))
            directory = f"{service.url}/acme/directory"
            yield Server(name, directory, context, service.process.pid, addresses(), answers)


@contextmanager
def ours_on_postgresql(place: Path) -> Iterator[Server]:
    """Run our server with its store in a PostgreSQL of its own."""
    place.chmod(0o711)
    cluster = Cluster(place / "pg", durable=True)
    try:
        with ours(place, "counterseal, PostgreSQL", f'[store]\nurl = "{cluster.create()}"\n') as server:
            yield server
    finally:
        cluster.stop("immediate")


PEBBLE = {
    "PEBBLE_VA_NOSLEEP": "1",
    "PEBBLE_VA_ALWAYS_VALID": "1",
    "PEBBLE_WFE_NONCEREJECT": "0",
    "PEBBLE_AUTHZREUSE": "100",
}


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def configure_pebble(place: Path) -> int:
    """Write what pebble needs and return the port that it will have."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem", "-subj", "/CN=p"]
    command = ["openssl", "req", "-x509", *key, "-addext", "subjectAltName=IP:127.0.0.1", "-out", "cert.pem"]
    subprocess.run(command, cwd=place, check=True, capture_output=True)
    port = free_port()
    rules = {
        "listenAddress": f"127.0.0.1:{port}",
        "managementListenAddress": f"127.0.0.1:{free_port()}",
        "certificate": "cert.pem",
        "privateKey": "key.pem",
        "httpPort": 80,
        "tlsPort": 443,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
    }
    (place / "pebble.json").write_text(json.dumps({"pebble": rules}))
    return port


@contextmanager
def pebble(place: Path) -> Iterator[Server]:
    """Run pebble."""
    port = configure_pebble(place)
    process = subprocess.Popen(
        ["pebble", "-config", "pebble.json"],
        cwd=place,
        env={**os.environ, **PEBBLE},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        context = ssl.create_default_context(cafile=str(place / "cert.pem"))
        deadline = time.monotonic() + 10
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield Server("pebble, in memory", f"https://127.0.0.1:{port}/dir", context, process.pid, addresses())
    finally:
        process.terminate()
        process.wait()


def addresses() -> Iterator[str]:
    """Yield addresses of the loopback network, each once."""
    return (f"127.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}" for number in count(300))


def main() -> None:
    """Take turns, then show."""
    parser = new_arguments(__doc__ or "")
    parser.add_argument("--orders", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--postgresql", action="store_true")
    arguments = parser.parse_args()
    table = Table("acme")
    with ExitStack() as stack:
        places = [Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(3)]
        servers = [stack.enter_context(pebble(places[0])), stack.enter_context(ours(places[1]))]
        servers += [stack.enter_context(ours_on_postgresql(places[2]))] if arguments.postgresql else []
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            for server in servers:
                runner.run(server.measure("new", 30, 4))  # caches filled, code loaded
                server.rates.clear()
                server.costs.clear()
                server.seconds.clear()
            for _ in range(arguments.rounds):
                for kind in ("new", "renewal"):
                    for at_once in AT_ONCE:
                        for server in servers:
                            runner.run(server.measure(kind, arguments.orders, at_once))
        show(table, servers)
    table.finish(arguments.json)


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
    for kind, at_once in servers[0].rates:
        what = f"{kind} order, {at_once} at once"
        with table.job(what, unit="order/s", goal=goals.get((kind, at_once), "")):
            for server in servers:
                table.row(server.name, median(server.rates[kind, at_once]))
        with table.job(f"{what}: processor time of the server", unit="ms"):
            for server in servers:
                table.row(server.name, median(server.costs[kind, at_once]))
        for share, which in (("p50", 49), ("p99", 98)):
            with table.job(f"{what}: {share}", unit="ms"):
                for server in servers:
                    times = [one for times in server.seconds[kind, at_once] for one in times]
                    table.row(server.name, quantiles(times, n=100)[which] * 1000)
    with table.job("what a durable answer waits for", unit="ms"):
        table.row("one flush, this disk", time_flush() * 1000, note="a new order waits for 5 commits, a renewal for 3")
    with table.job("resident memory after it", unit="MB"):
        for server in servers:
            table.row(server.name, server.memory())


if __name__ == "__main__":
    main()
