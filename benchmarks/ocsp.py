"""OCSP answers per second beside ``openssl ocsp`` in one run: signed for each request, kept, and from nginx's cache.

usage: python benchmarks/ocsp.py [--seconds 3] [--rounds 3] [--json FILE]

Eight clients in one Python process ask about one good certificate of a thousand, each as soon as it has its answer;
connections are kept where the server keeps them (``openssl ocsp`` answers HTTP/1.0, one request a connection, some of
which it resets). Each of our answers looks into the store and writes a line to the log, read here; openssl reads its
index once. Servers and clients share the machine; rounds take turns. What bounds us: HTTP in Python.
"""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import quote

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from table import Table, new_arguments

from command import counterseal
from nginx_process import free_port
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


@contextmanager
def openssl(home: Path, place: Path, ca: x509.Certificate, subject: x509.Certificate) -> Iterator[int]:
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
        yield port
    finally:
        process.kill()
        process.wait()


@contextmanager
def nginx(place: Path, responder: str) -> Iterator[int]:
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
        yield port
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Take turns, then show."""
    parser = new_arguments(__doc__ or "")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        home = place / "home"
        make_ca(home, f'[serve]\nnames = ["127.0.0.1"]\nhttp_listen = "127.0.0.1:{free_port()}"\n')
        rows = "".join(f"device{number}\n" for number in range(CERTIFICATES - 1))
        (place / "rows.csv").write_text(f"name\n{rows}")
        assert counterseal(home, "client", "--batch", str(place / "rows.csv"), "--out", str(place / "batch")).code == 0
        assert counterseal(home, "client", "asked", "--out", str(place / "asked")).code == 0
        subject, ca = x509.load_pem_x509_certificates(next((place / "asked").glob("*.fullchain.pem")).read_bytes())
        service = stack.enter_context(running(home))
        responder = service.http_address or ""
        ours = int(responder.rpartition(":")[2])
        plain, fresh = request(subject, ca), request(subject, ca, bytes(range(32)))
        ways = {
            "openssl ocsp, signs each": (stack.enter_context(openssl(home, place, ca, subject)), post(plain, "/")),
            "counterseal, signs each": (ours, post(fresh, "/ocsp/clients")),
            "counterseal, kept, POST": (ours, post(plain, "/ocsp/clients")),
            "counterseal, kept, GET": (ours, get(plain, "/ocsp/clients")),
            "counterseal, nginx cache": (stack.enter_context(nginx(place, responder)), get(plain, "/ocsp/clients")),
        }
        table, rates = Table("ocsp"), {name: [0.0] * 0 for name in ways}
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            for way in ways.values():
                runner.run(rate(*way, 0.5))  # caches filled, code loaded
            for _ in range(arguments.rounds):
                for name, way in ways.items():
                    rates[name].append(runner.run(rate(*way, arguments.seconds)))
        with table.job(f"answers, {CLIENTS} clients", unit="/s"):
            for name, values in rates.items():
                table.row(name, median(values))
    table.finish(arguments.json)


if __name__ == "__main__":
    main()
