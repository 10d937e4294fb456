"""From ``counterseal revoke`` to the refusal by a real nginx, with 10 and with 100,000 certificates revoked before.

usage: python benchmarks/revoke.py [--sizes 10,100000] [--rounds 5] [--json FILE]

A client of this benchmark's own asks the site anew all the time, by TLS 1.3 with its certificate, while the command
runs: the first refusal it meets is one row, the command's end with the proof done is the other. The yardstick is what
nginx itself takes to read that configuration once (``nginx -t``); a reload reads it again. What bounds us: the start of
the interpreter with all that a deploy and a proof need, nginx reading the lists twice, and the change of workers.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from crl import revoked, serial_chunks
from place import PROGRAM, new_place, run
from table import Table, new_arguments

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from counterseal.compose.home import open_authority

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "panel.test"
PAUSE = 0.01


class Visitor:
    """A client that asks again and again, by a new connection each time, and notes when it is refused."""

    def __init__(self, place: Path, name: str, port: int) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.load_verify_locations(place / "out" / "ca.pem")
        self.context.load_cert_chain(place / "out" / f"{name}.fullchain.pem", place / "out" / f"{name}.key.pem")
        self.port = port

    def is_admitted(self) -> bool:
        """Ask once."""
        try:
            with (
                socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain,
                self.context.wrap_socket(plain, server_hostname=NAME) as tls,
            ):
                tls.sendall(f"GET / HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
                return tls.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:  # an alert, or the connection of a worker that ends
            return False

    def await_refusal(self, refused: list[float], ended: threading.Event) -> None:
        """Ask until refused three times in a row, and note the time of the first."""
        while not ended.is_set():
            at = time.perf_counter()
            if not self.is_admitted() and not self.is_admitted() and not self.is_admitted():
                refused.append(at)
                return
            time.sleep(PAUSE)


@contextmanager
def deployed(place: Path, size: int) -> Iterator[int]:
    """Deploy a site of a CA with so many revoked clients; give its port, and stop its nginx at the end."""
    run(PROGRAM, "init", "--home", "home", "--no-passphrase", cwd=place)
    with open_authority(place / "home", lambda: None) as authority:
        for serial_numbers in serial_chunks(size):
            authority.store.adopt(revoked(serial_numbers))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    (place / "www").mkdir()
    (place / "www" / "index.html").write_text("admitted\n")
    (place / "home" / "counterseal.toml").write_text(
        f'[sites.panel]\nserver_names = ["{NAME}"]\nlisten = ["127.0.0.1:{port}"]\nroot = "{place}/www"\n'
    )
    try:
        run(PROGRAM, "nginx", "deploy", "--home", "home", cwd=place)
        yield port
    finally:
        run(PROGRAM, "nginx", "stop", "--home", "home", cwd=place)


def revoke_once(place: Path, port: int, number: int) -> tuple[float, float]:
    """Revoke a client that is being served; return the seconds to its first refusal and to the command's end."""
    name = f"visitor-{number}"
    run(PROGRAM, "client", name, "--no-p12", "--out", "out", "--home", "home", cwd=place)
    visitor = Visitor(place, name, port)
    assert visitor.is_admitted(), "the client is not served before it is revoked"
    refused: list[float] = []
    ended = threading.Event()
    asking = threading.Thread(target=visitor.await_refusal, args=(refused, ended))
    asking.start()
    began = time.perf_counter()
    took = run(PROGRAM, "revoke", name, "--home", "home", cwd=place)
    asking.join(timeout=5)
    ended.set()
    assert refused, "the command ended and the client is still served"
    return refused[0] - began, took.seconds


def read_once(place: Path) -> float:
    """Return the seconds that nginx takes to read what is deployed."""
    said = subprocess.run(
        [PROGRAM, "nginx", "status", "--json", "--home", "home"], cwd=place, capture_output=True, check=True
    ).stdout
    base = place / "home" / "nginx"
    test = (json.loads(said)["binary"], "-t", "-c", base / "current" / "nginx.conf", "-p", f"{base}/run/")
    return run(*test, "-e", base / "run" / "error.log", cwd=place).seconds


def main() -> None:
    """Run the benchmark in a directory of its own."""
    parser = new_arguments(__doc__ or "")
    parser.add_argument("--sizes", default="10,100000")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    table = Table("revoke")
    for size in map(int, arguments.sizes.split(",")):
        with new_place("revoke") as place, deployed(place, size) as port:
            seen = [revoke_once(place, port, number) for number in range(arguments.rounds)]
            with table.job(f"revoke, {size:,} revoked before", unit="s", goal="1 s"):
                table.row("nginx -t, once", median(read_once(place) for _ in range(arguments.rounds)))
                table.row("first refusal", median(first for first, _ in seen), note="seen by a client outside")
                table.row("command ended", median(last for _, last in seen), note="with the whole proof")
    table.finish(arguments.json)


if __name__ == "__main__":
    main()
