"""Memory and start-up of `counterseal serve` beside pebble and Caddy's ACME server, in one run.

usage: python benchmarks/serve.py [--requests 4000] [--idle 500] [--rounds 5] [--postgresql] [--json FILE]

Start-up is from the start of the process to the first answer over TLS, of a server that has been started before, so
that its certificate is there: the median of some rounds that take turns, and the processor time that it took, which
other work on the machine does not lengthen. Memory is resident: at rest after the first answer, the most it has had
after requests for the ACME directory over sixteen kept connections, and with connections that stand idle beside. With
--postgresql ours runs once more, its store in a PostgreSQL over a Unix socket whose processes are not counted. What
bounds ours: importing Python modules at the start, and the TLS state of a connection.
"""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPSConnection
from pathlib import Path
from shutil import which
from statistics import median
from threading import Thread
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from acme_servers import CADDY, PEBBLE, configure_caddy, configure_pebble, free_port
from table import Table, new_arguments

from postgresql_process import Cluster
from service_process import make_ca

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_ONCE = 16
SECONDS = 30


@dataclass
class Server:
    """A server that can be started again and again, and what was measured of it."""

    name: str
    command: list[str]
    place: Path
    port: int
    directory: str
    starts: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    @contextmanager
    def run(self) -> Iterator[int]:
        """Run it, note how long it took to answer, and give its process id."""
        began = time.perf_counter()
        process = subprocess.Popen(
            self.command,
            cwd=self.place,
            env={**os.environ, **PEBBLE, "HOME": str(self.place)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not self._answers():
                assert process.poll() is None, f"{self.name} ended with {process.returncode}"
                assert time.perf_counter() - began < SECONDS, f"{self.name} does not answer"
                time.sleep(0.002)
            self.starts.append(time.perf_counter() - began)
            self.processor.append(processor_seconds(process.pid))
            yield process.pid
        finally:
            process.terminate()
            process.wait(SECONDS)

    def connect(self) -> HTTPSConnection:
        """Return a connection; who answers is not the question here."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return HTTPSConnection("127.0.0.1", self.port, timeout=SECONDS, context=context)

    def ask(self, requests: int) -> None:
        """Ask for the directory over one connection."""
        connection = self.connect()
        for _ in range(requests):
            connection.request("GET", self.directory)
            response = connection.getresponse()
            assert response.status == 200, (self.name, response.status)  # noqa: PLR2004 - OK
            response.read()
        connection.close()

    def _answers(self) -> bool:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.port)):
                return False
        try:
            self.ask(1)
        except OSError:
            return False
        return True


def ours(place: Path, name: str = "counterseal", store: str = "") -> Server:
    """Return our service; ``store`` is the table of its configuration that names another store than a file."""
    make_ca(place / "home", f"{store}[acme]\n")
    port = free_port()
    arguments = ["serve", "--home", str(place / "home"), "--listen", f"127.0.0.1:{port}"]
    return Server(name, [sys.executable, "-m", "counterseal", *arguments], place, port, "/acme/directory")


def ours_on_postgresql(stack: ExitStack, place: Path) -> Server:
    """Return our service with its store in a PostgreSQL that ends with the stack."""
    place.chmod(0o711)
    cluster = Cluster(place / "pg", durable=True)
    stack.callback(cluster.stop, "immediate")
    return ours(place, "counterseal, PostgreSQL", f'[store]\nurl = "{cluster.create()}"\n')


def pebble(place: Path) -> Server:
    """Return pebble, which keeps everything in memory."""
    return Server("pebble", ["pebble", "-config", "pebble.json"], place, configure_pebble(place), "/dir")


def caddy(place: Path) -> Server:
    """Return Caddy's ACME server."""
    return Server("caddy", CADDY, place, configure_caddy(place), "/acme/local/directory")


def processor_seconds(process: int) -> float:
    """Return what the process has computed so far; other work on the machine does not lengthen it."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(process: int, which_one: str) -> float:
    """Return the resident memory in MB: ``VmRSS`` now, ``VmHWM`` the most."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split(f"{which_one}:")[1].split()[0]) / 1024


def load(server: Server, requests: int) -> None:
    """Ask over all connections at once."""
    threads = [Thread(target=server.ask, args=(requests // AT_ONCE,)) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def stand_idle(stack: ExitStack, server: Server, number: int) -> None:
    """Open so many connections, each of which has asked once."""
    for _ in range(number):
        connection = server.connect()
        stack.callback(connection.close)
        connection.request("GET", server.directory)
        connection.getresponse().read()


def new_place(stack: ExitStack) -> Path:
    """Return an empty directory that goes with the stack."""
    return Path(stack.enter_context(tempfile.TemporaryDirectory()))


def main() -> None:
    """Start in turns, then load one after the other."""
    parser = new_arguments(__doc__ or "")
    parser.add_argument("--requests", type=int, default=4_000)
    parser.add_argument("--idle", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postgresql", action="store_true")
    arguments = parser.parse_args()
    table = Table("serve")
    with ExitStack() as stack:
        makers = [one for one in (caddy, pebble) if which(one.__name__)] + [ours]
        servers = [one(new_place(stack)) for one in makers]
        if arguments.postgresql:
            servers.append(ours_on_postgresql(stack, new_place(stack)))
        for server in servers:
            with server.run():
                server.starts.clear()  # the first time it made its certificate
                server.processor.clear()
        for _ in range(arguments.rounds):
            for server in servers:
                with server.run():
                    pass
        with table.job("start to first answer", unit="ms"):
            for server in servers:
                table.row(server.name, median(server.starts) * 1000)
        with table.job("processor time of it", unit="ms"):
            for server in servers:
                table.row(server.name, median(server.processor) * 1000, note="both cores, where it uses both")
        figures = {server.name: measure(server, arguments.requests, arguments.idle) for server in servers}
    jobs = ("memory at rest", f"most after {arguments.requests} requests", f"with {arguments.idle} idle connections")
    for number, job in enumerate(jobs):
        with table.job(job, unit="MB"):
            for name, values in figures.items():
                table.row(name, values[number])
    table.finish(arguments.json)


def measure(server: Server, requests: int, idle: int) -> tuple[float, float, float]:
    """Return MB at rest, the most MB under load, and MB with idle connections."""
    with server.run() as process, ExitStack() as connections:
        rest = resident(process, "VmRSS")
        load(server, requests)
        most = resident(process, "VmHWM")
        stand_idle(connections, server, idle)
        return rest, most, resident(process, "VmRSS")


if __name__ == "__main__":
    main()
