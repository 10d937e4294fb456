"""A small TLS site for the tests, written by hand: it answers every request with the number of its generation."""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import ssl
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from counterseal.fileset import SECRET, FileSet, PlannedFile
from counterseal.nginx.deploy import DeployResult, ProofOutcome, deploy, rollback
from counterseal.nginx.generations import Directories, read_current
from counterseal.nginx.process import NginxProcess
from counterseal.nginx.proctable import children_of, read_title
from counterseal.nginx.target import Target, private_target
from counterseal.nginx.undo import Limits, Place
from counterseal.nginx.waiting import system_clock, wait_until
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from counterseal.nginx.waiting import Clock

CONF = """\
worker_processes {workers};
{user}
pid {run}/nginx.pid;
error_log {run}/error.log notice;
worker_shutdown_timeout 5s;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {run}/body;
  proxy_temp_path {run}/proxy;
  fastcgi_temp_path {run}/fastcgi;
  uwsgi_temp_path {run}/uwsgi;
  scgi_temp_path {run}/scgi;
  include http.conf;
}}
"""
SITE = """\
server {{
  listen 127.0.0.1:{port} ssl;
  server_name site.test;
  ssl_certificate {base}/current/site.cert.pem;
  ssl_certificate_key {base}/current/site.key.pem;
  {extra}
  location /slow {{ limit_rate 50; return 200 "{slow}"; }}
  location / {{ return 200 "{number}"; }}
}}
"""


CLOCK = system_clock()
LIMITS = Limits(lock=30, test=30, reload=30, answer=10, stop=30)


@lru_cache
def make_pair(name: str) -> tuple[bytes, bytes]:
    """Return a self-signed certificate and its key, both PEM; the same pair for the same name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=subject, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(serialization.Encoding.PEM), pem


@dataclass(frozen=True)
class State:
    """What is in force: the link's number, the number that answers, and every byte below the link."""

    link: int | None
    served: int | None
    contents: dict[str, bytes]


@dataclass
class Bench:
    """One base, one nginx, one site; ``main`` and ``extra`` are put into the configuration of the next generation."""

    base: Path
    binary: Path
    port: int = field(default_factory=free_port)
    workers: int = 2
    main: str = ""
    extra: str = ""
    key_of: str = "site.test"
    refuse: object = None
    limits: Limits = LIMITS
    clock: Clock = CLOCK
    on_step: Callable[[str], None] = lambda _: None

    @property
    def target(self) -> Target:
        """The private nginx of the base."""
        return private_target(self.base, binary=self.binary)

    @property
    def nginx(self) -> NginxProcess:
        """The same, to be started and watched."""
        return NginxProcess(self.target, self.clock)

    @property
    def place(self) -> Place:
        """Where the deploys of this test go."""
        return Place(self.base, self.nginx, self.answers, self.limits)

    def deploy(self, *, install: bool = False, may_rest: bool = False) -> DeployResult:
        """Deploy the files of the next generation; the proof asks whether it answers."""
        return deploy(
            self.files,
            place=self.place,
            prove=self.prove,
            reason="a test",
            install=install,
            may_rest=may_rest,
            on_step=self.on_step,
        )

    def rollback(self, to: int | None = None) -> DeployResult:
        """Go back to an older generation."""
        return rollback(place=self.place, prove=self.prove, to=to, on_step=self.on_step)

    def prove(self, number: int) -> ProofOutcome:
        """Pass when generation ``number`` is served, and the test does not want a refusal."""
        served = self.served()
        return ProofOutcome(served == number and not self.refuse, f"served: {served}", self.refuse)

    def state(self) -> State:
        """Return what is in force, as far as anyone can see it."""
        current = read_current(self.base)
        directory = self.base / "current"
        contents = {path.name: path.read_bytes() for path in directory.iterdir() if path.name != "manifest.json"}
        return State(current, self.served(), contents)

    def litter(self) -> list[str]:
        """List what a finished command may not leave behind."""
        hidden = [path for path in self.base.rglob(".*") if "run" not in path.parts]
        journal = Directories(self.base).journal
        return sorted(str(path) for path in [*hidden, *([journal] if journal.exists() else [])])

    def files(self, number: int) -> FileSet:
        """Return the files of generation ``number``."""
        certificate, _ = make_pair("site.test")
        _, key = make_pair(self.key_of)
        user = "user root;" if os.geteuid() == 0 else ""
        main = CONF.format(workers=self.workers, run=self.base / "run", user=user)
        http = SITE.format(port=self.port, base=self.base, number=number, extra=self.extra, slow="x" * 4000)
        return FileSet(
            (
                PlannedFile("nginx.conf", (main + self.main).encode()),
                PlannedFile("http.conf", http.encode()),
                PlannedFile("site.cert.pem", certificate),
                PlannedFile("site.key.pem", key, SECRET),
            )
        )

    def all_workers(self) -> tuple[int, ...]:
        """Return the workers once there are as many as configured: a start or a reload is over with the first."""
        assert wait_until(lambda: len(self.nginx.worker_pids()) == self.workers, within=30, clock=system_clock())
        return self.nginx.worker_pids()

    def connect(self) -> ssl.SSLSocket:
        """Return a fresh TLS connection that trusts the certificate of the site and no other."""
        context = ssl.create_default_context(cadata=make_pair("site.test")[0].decode())
        context.check_hostname = False
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        try:
            return context.wrap_socket(plain)
        except OSError:
            plain.close()
            raise

    def served(self) -> int | None:
        """Return the number of the generation that answers on the port, or None when nobody answers."""
        try:
            with self.connect() as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                answer = b"".join(iter(lambda: client.recv(4096), b""))
            return int(answer.rpartition(b"\r\n\r\n")[2])
        except (OSError, ValueError):
            return None

    def answers(self, number: int) -> bool:
        """Whether generation ``number`` is the one that answers."""
        return self.served() == number

    def close(self) -> None:
        """End the nginx of this base with all its workers."""
        self.nginx.settle(within=30)
        master = self.nginx.master_pid()
        if master is None:
            return
        family = (master, *children_of(master))
        os.kill(master, signal.SIGTERM)
        assert wait_until(lambda: not any(map(read_title, family)), within=30, clock=system_clock())
