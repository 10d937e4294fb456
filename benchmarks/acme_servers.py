"""ACME servers that are started to be measured: ours, on SQLite and on PostgreSQL, pebble and Caddy."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from acme_orders import Server
from more_replicas import start_replicas

from postgresql_process import Cluster
from service_process import make_ca, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def web(answers: dict[str, str], port: int = 0) -> Iterator[int]:
    """Answer http-01 for every address of this machine's loopback network; on any port that is free, if not told."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("", port))
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
def ours(place: Path, name: str = "counterseal", store: str = "", program: tuple[str, ...] = ()) -> Iterator[Server]:
    """Run our server; ``store`` is the table of its configuration that names another store than a file.

    ``program`` is what runs the command line, if it is not Python alone.
    """
    answers = dict[str, str]()
    with web(answers) as port:
        rules = f'{store}[acme]\nallow_networks = ["127.0.0.0/8"]\nhttp_port = {port}\norders_per_hour = 0\n'
        make_ca(place / "home", rules)
        with running(place / "home", logs=False, program=program) as service:
            context = ssl.create_default_context(cafile=str(service.root))
            directory = f"{service.url}/acme/directory"
            yield Server(name, directory, context, service.process.pid, addresses(), answers)


@contextmanager
def ours_on_postgresql(place: Path, replicas: int = 1) -> Iterator[Server]:
    """Run our server, or so many of them, with its store in a PostgreSQL of its own."""
    place.chmod(0o711)
    name = "counterseal, PostgreSQL" + (f", {replicas} replicas" if replicas > 1 else "")
    cluster = Cluster(place / "pg", durable=True)
    try:
        with ours(place, name, f'[store]\nurl = "{cluster.create()}"\n') as server, ExitStack() as stack:
            for service in start_replicas(stack, place / "home", replicas - 1):
                server.replicas += ((f"{service.url}/acme/directory", service.process.pid),)
            yield server
    finally:
        cluster.stop("immediate")


HTTP_PORT = 80
CADDY = ["caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"]
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
        context = wait_for(port, place / "cert.pem")
        yield Server("pebble, in memory", f"https://127.0.0.1:{port}/dir", context, process.pid, addresses())
    finally:
        process.terminate()
        process.wait()


CADDYFILE = """\
{{
    admin off
    skip_install_trust
    auto_https disable_redirects
    storage file_system {place}/storage
}}
https://127.0.0.1:{port} {{
    tls internal
    acme_server
}}
"""


def configure_caddy(place: Path) -> int:
    """Write what Caddy needs and return the port that it will have."""
    port = free_port()
    (place / "Caddyfile").write_text(CADDYFILE.format(place=place, port=port))
    return port


@contextmanager
def caddy(place: Path) -> Iterator[Server]:
    """Run Caddy's ACME server, which keeps its state on disk and validates http-01 at port 80 alone."""
    port, answers = configure_caddy(place), dict[str, str]()
    with web(answers, HTTP_PORT):
        process = subprocess.Popen(
            CADDY,
            cwd=place,
            env={**os.environ, "HOME": str(place)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            context = wait_for(port, place / "storage/pki/authorities/local/root.crt")
            directory = f"https://127.0.0.1:{port}/acme/local/directory"
            yield Server("caddy", directory, context, process.pid, addresses(), answers, fewer=10)
        finally:
            process.terminate()
            process.wait()


def wait_for(port: int, root: Path) -> ssl.SSLContext:
    """Wait until somebody answers with a certificate below ``root``, and return what trusts it."""
    deadline = time.monotonic() + 30
    while True:
        try:
            context = ssl.create_default_context(cafile=str(root))
            with (
                socket.create_connection(("127.0.0.1", port)) as plain,
                context.wrap_socket(plain, server_hostname="127.0.0.1"),
            ):
                return context
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def addresses() -> Iterator[str]:
    """Yield addresses of the loopback network, each once."""
    return (f"127.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}" for number in count(300))
