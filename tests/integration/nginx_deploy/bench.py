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
from counterseal.nginx.process import NginxProcess
from counterseal.nginx.proctable import children_of, read_title
from counterseal.nginx.target import Target, private_target
from counterseal.nginx.waiting import system_clock, wait_until

if TYPE_CHECKING:
    from pathlib import Path

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
  location /slow {{ limit_rate 500; return 200 "{slow}"; }}
  location / {{ return 200 "{number}"; }}
}}
"""


def free_port() -> int:
    """Return a port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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

    @property
    def target(self) -> Target:
        """The private nginx of the base."""
        return private_target(self.base, binary=self.binary)

    @property
    def nginx(self) -> NginxProcess:
        """The same, to be started and watched."""
        return NginxProcess(self.target, system_clock())

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

    def connect(self) -> ssl.SSLSocket:
        """Return a fresh TLS connection that trusts the certificate of the site and no other."""
        context = ssl.create_default_context(cadata=make_pair("site.test")[0].decode())
        context.check_hostname = False
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=5)
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
        master = self.nginx.master_pid()
        if master is None:
            return
        family = (master, *children_of(master))
        os.kill(master, signal.SIGTERM)
        assert wait_until(lambda: not any(map(read_title, family)), within=10, clock=system_clock())
