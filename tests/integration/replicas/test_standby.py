"""A service on a standby, configured as docs/scale.md has it: lists, OCSP and CA certificates, and no writing."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
import time
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import ocsp

from api_client import make_client
from command import counterseal
from guides import blocks, fit
from integration.serve.test_ocsp import GOOD, REVOKED, request_of
from postgresql_process import Cluster
from service_process import SECONDS, Running, make_ca, running

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow


def test_a_standby_answers_what_takes_no_writing() -> None:
    """Without the CAs' keys; a revocation at the primary arrives, and no line of its log tells of an error."""
    with tempfile.TemporaryDirectory(prefix="cs-") as directory, ExitStack() as stack:
        base = Path(directory)
        base.chmod(0o711)
        primary = Cluster(base / "p")
        stack.callback(primary.stop, "immediate")
        primary.sql("create database counterseal")
        home, other = base / "home", base / "other"
        make_ca(home, f'[store]\nurl = "{primary.url("counterseal")}"\n')
        serial = int(make_client(home, "alice")["certificate"]["serial_number"], 16)
        with running(home):
            pass  # it has certified responders, and published lists
        standby = Cluster(base / "s", follows=primary)
        stack.callback(standby.stop, "immediate")
        (configuration,) = blocks("../scale.md", "toml")
        there = {
            "postgresql://counterseal@standby.corp.example/counterseal?": f"{standby.url('counterseal')}&",
            "/run/counterseal/serve.sock": f"{base}/serve.sock",
            "0.0.0.0:80": '127.0.0.1:0"\nmetrics_listen = "127.0.0.1:0',
        }
        (other / "keys").mkdir(parents=True, mode=0o700)
        for path in (home / "keys" / "service.secret", *(home / "keys").glob("ocsp-*")):
            shutil.copy(path, other / "keys")
        (other / "counterseal.toml").write_text(fit(configuration, there))
        service = stack.enter_context(running(other, "--listen", f"unix:{base}/serve.sock"))
        assert service.entries.keys() == {"OCSP"}
        assert ready(base) == (200, {"status": "ready", "store": "a standby: lists, OCSP and CA certificates only"})
        metrics = get(service, "GET", "/metrics", address=service.metrics_address)
        assert b'counterseal_crl_number{ca="clients"}' in metrics  # nobody has counted key uses, which takes writing
        ca = x509.load_der_x509_certificate(get(service, "GET", "/ca/clients.crt"))
        assert standing(service, serial, ca) is GOOD
        number = listed(service).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        assert counterseal(home, "revoke", "alice").code == 0
        wait_until(lambda: standing(service, serial, ca) is REVOKED)
        wait_until(lambda: listed(service).get_revoked_certificate_by_serial_number(serial) is not None)
        assert listed(service).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number > number
        assert [line for line in service.log if line["level"] == "error"] == []


def ready(base: Path) -> tuple[int, object]:
    """Return what ``/readyz`` says on the Unix socket."""
    connection = HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(SECONDS)
    connection.sock.connect(f"{base}/serve.sock")
    connection.request("GET", "/readyz")
    response = connection.getresponse()
    try:
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def get(service: Running, method: str, path: str, body: bytes | None = None, address: str | None = None) -> bytes:
    """Return an answer of what is public, or at another address."""
    connection = HTTPConnection(address or service.http_address or "", timeout=SECONDS)
    connection.request(method, path, body)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    assert response.status == 200, content
    return content


def standing(service: Running, serial: int, ca: x509.Certificate) -> ocsp.OCSPCertStatus:
    """Return what the responder says."""
    return ocsp.load_der_ocsp_response(
        get(service, "POST", "/ocsp/clients", request_of(serial, ca, SHA256()))
    ).certificate_status


def listed(service: Running) -> x509.CertificateRevocationList:
    """Return the list of the clients' CA."""
    return x509.load_der_x509_crl(get(service, "GET", "/crl/clients.crl"))


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until the standby has heard of it."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, "the standby never heard of it"
        time.sleep(0.02)
