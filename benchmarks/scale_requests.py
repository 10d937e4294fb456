"""Whole requests to a service with 1,000 and with 1,000,000 certificates, in a file and in PostgreSQL: how they grow.

usage: python benchmarks/scale_requests.py [--size 1000000] [--rounds 100] [--json FILE]

Four services of one run, each over a kept TLS connection: a certificate by the API, the first page of a search by name
and of one by expiry, a certificate shown, an OCSP question about one that was not asked about before, a revocation with
its new list, an ACME order with http-01. They take turns after every request, at random places; medians. A file is
filled by batches, PostgreSQL by ``db move`` from a copy of it. PostgreSQL is Debian's, durable, over a Unix socket.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from acme_orders import Server
from acme_servers import addresses, web
from api import new_csr, operator_of
from ocsp_clients import QUESTION
from scale import SMALL, add
from table import Table, new_arguments

from acme_signing import ClientKey
from api_client import CONFIGURATION, ROLES, Client, make_api
from command import counterseal
from counterseal.compose.place import store_path
from counterseal.pki.shown import show_serial
from counterseal.store import sqlite
from integration.serve.test_ocsp import request_of
from postgresql_process import Cluster, own
from service_process import running

if TYPE_CHECKING:
    from collections.abc import Callable

    from service_process import Running

RULES = '\n[acme]\nallow_networks = ["127.0.0.0/8"]\nhttp_port = {port}\norders_per_hour = 0\n'
KINDS = (
    "issue by the API",
    "first page by the beginning of a name",
    "first page by expiry",
    "show",
    "OCSP, signed for it",
    "revoke, and the new list",
    "ACME order",
)


class Asked:
    """A service with so many certificates, of which some are known; ``key`` is that of its ACME account."""

    def __init__(self, service: Running, size: int, some: list[int], key: ClientKey, csr: str) -> None:
        self._line = Client(service, ROLES[1]).connect()
        self._size, self._some, self._csr = size, some, csr
        self._draw = random.Random(1)  # noqa: S311 - places to look at
        shown = counterseal(service.home, "ca", "export", "clients")
        self._ca = x509.load_pem_x509_certificate(shown.stdout.encode())
        directory = f"{service.url}/acme/directory"
        self._acme = Server("", directory, operator_of(service), service.process.pid, addresses(), key=key)
        self._runner = asyncio.Runner()
        (self._client,) = self._runner.run(self._acme.clients(1))

    def kinds(self) -> tuple[Callable[[], None], ...]:
        """Return what is asked, in the order of ``KINDS``."""
        return self._issue, self._by_name, self._by_expiry, self._show, self._ocsp, self._revoke, self._order

    def close(self) -> None:
        """Hang up."""
        self._line.close()
        if self._client.streams:
            self._client.streams[1].close()
        self._runner.close()

    def _ask(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> None:
        self._line.request(method, path, body or None, {"Content-Type": kind} if body else {})
        response = self._line.getresponse()
        content = response.read()
        assert response.status in {200, 201}, (path, response.status, content)

    def _issue(self) -> None:
        self._ask("POST", "/v1/certificates", json.dumps({"csr": self._csr, "profile": "server"}).encode())

    def _by_name(self) -> None:
        self._ask("GET", f"/v1/certificates?name=device-{self._draw.randrange(self._size) // 10:06d}*")

    def _by_expiry(self) -> None:
        self._ask("GET", "/v1/certificates?expiring=1000d")

    def _show(self) -> None:
        self._ask("GET", f"/v1/certificates/{show_serial(self._draw.choice(self._some)).replace(':', '')}")

    def _ocsp(self) -> None:
        self._ask("POST", "/ocsp/clients", request_of(self._some.pop(), self._ca, SHA256()), QUESTION)

    def _revoke(self) -> None:
        serial = show_serial(self._some.pop()).replace(":", "")
        self._ask("POST", f"/v1/certificates/{serial}/revoke", b'{"reason": "superseded"}')

    def _order(self) -> None:
        self._runner.run(self._client.order(next(self._acme.addresses)))


def homes(place: Path, cluster: Cluster, size: int, port: int) -> tuple[dict[str, Path], list[int]]:
    """Return homes with so many certificates, in a file and in PostgreSQL, and some of their numbers."""
    file, shared = place / f"file{size}", place / f"shared{size}"
    make_api(file, CONFIGURATION + RULES.format(port=port))
    with sqlite.open_store(store_path(file)) as store:
        some = add(store, size)
    shutil.copytree(file, shared)
    url = cluster.create()
    command = [sys.executable, "-m", "counterseal", "db", "move", url, "--home", str(shared)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # minutes for a million
    cluster.sql("vacuum analyze", urlsplit(url).path.strip("/"))
    return {"file": file, "PostgreSQL": shared}, some


def measure(services: dict[tuple[str, int], Asked], rounds: int) -> dict[tuple[str, str, int], float]:
    """Return the median milliseconds of each kind of request to each service."""
    times: dict[tuple[str, str, int], list[float]] = {}
    for number in range(rounds + 3):  # the first three load code and connect
        for place, kind in enumerate(KINDS):
            for (name, size), asked in services.items():
                ask = asked.kinds()[place]
                began = time.perf_counter()
                ask()
                if number > 2:  # noqa: PLR2004 - same
                    times.setdefault((kind, name, size), []).append((time.perf_counter() - began) * 1e3)
    return {key: median(values) for key, values in times.items()}


def main() -> None:
    """Fill, ask, and show."""
    parser = new_arguments(__doc__ or "")
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=100)
    arguments = parser.parse_args()
    sizes = (SMALL, arguments.size)
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        place.chmod(0o711)
        own(place / "pg")
        cluster = Cluster(place / "pg", durable=True, settings="max_wal_size = '4GB'")
        stack.callback(cluster.stop, "immediate")
        key, csr = ClientKey(), new_csr(place)
        port = stack.enter_context(web({"thumbprint": key.thumbprint}))
        made = {size: homes(place, cluster, size, port) for size in sizes}
        services: dict[tuple[str, int], Asked] = {}
        for size, (stores, some) in made.items():
            for number, (name, home) in enumerate(stores.items()):
                service = stack.enter_context(running(home, logs=False))
                services[name, size] = Asked(service, size, some[number::2], key, csr)
                stack.callback(services[name, size].close)
        found = measure(services, arguments.rounds)
    table = Table("scale_requests")
    for kind in KINDS:
        for name in ("file", "PostgreSQL"):
            with table.job(f"{kind}, {name}", unit="ms"):
                for size in sizes:
                    table.row(f"{size:,} certificates", found[kind, name, size])
    table.finish(arguments.json)


if __name__ == "__main__":
    main()
