"""Other people's TLS servers that require a client certificate: OpenSSL, GnuTLS, Node, Java and Go.

Each can be narrow (in TLS 1.2 it takes suites for RSA keys alone, and ours are others) or old (TLS 1.2 alone). Those of
OpenSSL and GnuTLS look at CRLs.
"""

from __future__ import annotations

import atexit
import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from ports import free_ports
from prove_pki import certificate_pem, key_pem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pki_fixtures import Issued
    from prove_pki import ProvePKI

SOURCES = Path(__file__).parent / "tls_servers"
PROGRAMS = {"openssl": "openssl", "gnutls": "gnutls-serv", "node": "node", "java": "javac", "go": "go"}
SECONDS = 60
Way = Literal["", "narrow", "old"]
_OPENSSL: dict[Way, tuple[str, ...]] = {"": (), "narrow": ("-cipher", "aRSA"), "old": ("-tls1_2",)}
_GNUTLS: dict[Way, str] = {"": "NORMAL", "narrow": "NORMAL:-ECDHE-ECDSA", "old": "NORMAL:-VERS-TLS1.3"}


def write_files(directory: Path, pki: ProvePKI, server: Issued | None = None) -> None:
    """Write the certificate and key of the server (or of this one) in every form, the client CAs, and their CRL."""
    server = server or pki.server
    (directory / "server.pem").write_bytes(certificate_pem(server, pki.server_ca))
    (directory / "server.key").write_bytes(key_pem(server))
    (directory / "client-crl.pem").write_bytes(pki.crls(revoked=[pki.revoked]))
    (directory / "client-ca.pem").write_bytes(certificate_pem(pki.root, pki.client_ca))
    (directory / "root.pem").write_bytes(certificate_pem(pki.root))
    chain, lock = [pki.server_ca.certificate], BestAvailableEncryption(b"not a secret")
    packed = pkcs12.serialize_key_and_certificates(b"server", server.private_key, server.certificate, chain, lock)
    (directory / "server.p12").write_bytes(packed)


@contextlib.contextmanager
def serving(kind: str, directory: Path, way: Way = "") -> Iterator[int]:
    """Run a server of this kind on the files of ``write_files``, and yield its port."""
    port = 0 if kind in {"node", "java", "go"} else free_ports(1)[0]
    with _running(_command(kind, directory, port, way), directory) as server:
        port = port or _read_port(server)
        wait_for(port)
        yield port


@contextlib.contextmanager
def openssl_serving(directory: Path, *options: str) -> Iterator[int]:
    """Run ``openssl s_server`` with these options in ``directory``, and yield its port."""
    port = free_ports(1)[0]
    with _running(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", *options], directory):
        wait_for(port)
        yield port


@contextlib.contextmanager
def gnutls_serving(directory: Path, priority: str) -> Iterator[int]:
    """Run ``gnutls-serv`` with the server's certificate in ``directory`` and this priority string; yield its port."""
    port = free_ports(1)[0]
    own = ["--x509certfile=server.pem", "--x509keyfile=server.key", f"--priority={priority}"]
    with _running(["gnutls-serv", f"--port={port}", "--quiet", "--http", *own], directory):
        wait_for(port)
        yield port


@contextlib.contextmanager
def grpc_serving(*files: Path) -> Iterator[int]:
    """Run a gRPC backend that tells what reached it, over TLS with a certificate, key and CAs; yield its port."""
    with _running(["node", str(SOURCES / "grpc.js"), *map(str, files)], SOURCES) as server:
        yield _read_port(server)


@contextlib.contextmanager
def _running(command: list[str], directory: Path) -> Iterator[subprocess.Popen[str]]:
    server = subprocess.Popen(
        command, cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield server
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(10)
        if server.poll() is None:
            server.kill()
        server.communicate()


def wait_for(port: int) -> None:
    """Wait until the port is listened on, without a connection that the server would see."""
    deadline = time.monotonic() + SECONDS
    while f":{port:04X} " not in _listening():
        assert time.monotonic() < deadline, "the server does not listen"
        time.sleep(0.02)


def _listening() -> str:
    rows = [Path(f"/proc/net/{name}").read_text().splitlines() for name in ("tcp", "tcp6")]
    return "\n".join(row.split()[1] + " " for table in rows for row in table if " 0A " in row)


def _command(kind: str, directory: Path, port: int, way: Way) -> list[str]:
    names = ("server.pem", "server.key", "client-ca.pem", "client-crl.pem")
    chain, key, cas, crls = (str(directory / name) for name in names)
    if kind == "openssl":
        place = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www", *_OPENSSL[way]]
        own = ["-cert", chain, "-cert_chain", chain, "-key", key]
        return [*place, *own, "-CAfile", cas, "-CRL", crls, "-crl_check", "-Verify", "3", "-verify_return_error"]
    if kind == "gnutls":
        own = [f"--x509certfile={chain}", f"--x509keyfile={key}", f"--x509cafile={cas}", f"--x509crlfile={crls}"]
        must = ["--require-client-cert", "--verify-client-cert"]
        return ["gnutls-serv", f"--port={port}", "--quiet", "--http", *must, *own, f"--priority={_GNUTLS[way]}"]
    if kind == "node":
        return ["node", str(SOURCES / "server.js"), chain, key, cas, way]
    if kind == "java":
        return ["java", str(SOURCES / "Server.java"), str(directory / "server.p12"), cas, way]
    return [str(_built()), chain, key, cas, way]


@cache
def _built() -> Path:
    """Compile the server of Go, once in each process of a run; what it stands on is compiled once for all of them."""
    directory = Path(tempfile.mkdtemp(prefix="counterseal-go-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    program = directory / "server-of-go"
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(directory), "GOFLAGS": "-mod=mod", "GO111MODULE": "off"}
    environment["GOCACHE"] = str(Path(sys.prefix) / "go-build")  # of .venv
    build = [shutil.which("go") or "go", "build", "-o", str(program), str(SOURCES / "server.go")]
    subprocess.run(build, check=True, cwd=directory, env=environment, timeout=SECONDS * 10)
    return program


def _read_port(server: subprocess.Popen[str]) -> int:
    assert server.stdout is not None
    line = server.stdout.readline()
    assert line.strip().isdecimal(), line + server.stdout.read()
    return int(line)
