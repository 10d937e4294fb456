"""Lists and CA certificates as relying parties fetch them, without TLS, and with what they have already."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPResponse
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from command import counterseal
from ports import free_port
from service_process import SECONDS, Running, make_ca, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def configuration() -> str:
    """Return one with an address without TLS, which certificates will name: so its port is chosen before."""
    lines = ("[serve]", 'listen = "127.0.0.1:0"', f'http_listen = "127.0.0.1:{free_port()}"', 'names = ["127.0.0.1"]')
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return a running service that the tests of this module share."""
    home = tmp_path_factory.mktemp("publication") / "home"
    make_ca(home, configuration())
    with running(home, "--name", "127.0.0.1") as service:
        yield service


def fetch(
    service: Running, path: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[HTTPResponse, bytes]:
    """Return the answer without TLS; a header's name is written with underscores."""
    connection = HTTPConnection(service.http_address or "", timeout=SECONDS)
    connection.request(method, path, body, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    try:
        return response, response.read()
    finally:
        connection.close()


def test_a_list_is_fetched_once(service: Running) -> None:
    """Then its tag, or its date, says that it is still the newest; the tag counts more."""
    response, content = fetch(service, "/crl/clients.crl")
    assert (response.status, response.headers["Content-Type"]) == (200, "application/pkix-crl")
    crl = x509.load_der_x509_crl(content)
    assert crl.get_revoked_certificate_by_serial_number(1) is None
    tag, modified = response.headers["ETag"], response.headers["Last-Modified"]
    assert fetch(service, "/crl/clients.crl", If_None_Match=f'"x", W/{tag}')[0].status == 304
    assert fetch(service, "/crl/clients.crl", If_Modified_Since=modified)[0].status == 304
    assert fetch(service, "/crl/clients.crl", If_Modified_Since=modified, If_None_Match='"x"')[0].status == 200
    assert fetch(service, "/crl/clients.crl", If_Modified_Since="yesterday")[0].status == 200
    head, nothing = fetch(service, "/crl/clients.crl", "HEAD")
    assert (head.status, head.headers["Content-Length"], nothing) == (200, str(len(content)), b"")
    assert "max-age=300" in response.headers["Cache-Control"]


def test_a_revocation_by_another_process_is_in_the_list_at_once(service: Running, tmp_path: Path) -> None:
    """The service serves the newest list of the store, whoever signed it, and the old tag no longer counts."""
    made = counterseal(service.home, "client", "gone", "--out", str(tmp_path))
    assert made.code == 0, made.stderr
    serial = x509.load_pem_x509_certificate(next(tmp_path.glob("*.fullchain.pem")).read_bytes()).serial_number
    before = fetch(service, "/crl/clients.crl")[0].headers["ETag"]
    revoked = counterseal(service.home, "revoke", "gone")
    assert revoked.code == 0, revoked.stderr
    response, content = fetch(service, "/crl/clients.crl", If_None_Match=before)
    assert response.status == 200
    assert x509.load_der_x509_crl(content).get_revoked_certificate_by_serial_number(serial) is not None


@pytest.mark.skipif(shutil.which("faketime") is None, reason="no faketime here")
def test_the_date_of_an_older_list_hides_no_newer_one(tmp_path: Path) -> None:
    """Nor is a date sent where two lists are of one second, or a host signed one whose clock is ahead."""
    home = tmp_path / "home"
    make_ca(home, configuration())
    publish = [sys.executable, "-m", "counterseal", "crl", "--home", str(home)]
    environment = os.environ | {"TZ": "UTC", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    with running(home, "--name", "127.0.0.1") as service:

        def published(at: datetime | None) -> str | None:
            stopped = ["faketime", "-f", f"{at:%Y-%m-%d %H:%M:%S}"] if at else []
            subprocess.run([*stopped, *publish], check=True, capture_output=True, timeout=SECONDS, env=environment)
            return dated()

        def dated() -> str | None:
            return fetch(service, "/crl/clients.crl")[0].headers["Last-Modified"]

        def status(date: str | None) -> int:
            return fetch(service, "/crl/clients.crl", If_Modified_Since=date or "")[0].status

        soon = datetime.now(UTC) + timedelta(seconds=10)  # time enough for one list on a busy machine
        assert published(soon) is None  # that second has not come yet
        while (first := dated()) is None:
            assert datetime.now(UTC) < soon + timedelta(seconds=SECONDS)
            time.sleep(0.2)
        assert status(first) == 304
        assert published(soon) is None  # nobody can tell the two by it
        assert status(first) == 200
        while datetime.now(UTC) < soon + timedelta(seconds=1):
            time.sleep(0.1)
        third = published(None)  # of another second
        assert third != first
        assert (status(first), status(third)) == (200, 304)


def test_a_list_that_is_due_is_signed_by_the_service(tmp_path: Path) -> None:
    """Of a CA that has none, and of one whose list is old; another service finds what the first one signed."""
    make_ca(tmp_path / "home", f'{configuration()}[ca]\ncrl_refresh = "1s"\n')
    for least in (1, 2):
        with running(tmp_path / "home", "--name", "127.0.0.1") as service:
            for name in ("root", "servers", "clients"):
                crl = x509.load_der_x509_crl(fetch(service, f"/crl/{name}.crl")[1])
                assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number >= least


def test_the_certificate_of_a_ca_and_its_path(service: Running, tmp_path: Path) -> None:
    """DER for who follows a certificate's issuer; PEM up to the root, which openssl verifies."""
    response, content = fetch(service, "/ca/clients.crt")
    assert (response.status, response.headers["Content-Type"]) == (200, "application/pkix-cert")
    ca = x509.load_der_x509_certificate(content)
    response, path = fetch(service, "/ca/clients.pem")
    assert response.headers["Content-Type"] == "application/pem-certificate-chain"
    assert x509.load_pem_x509_certificates(path)[0] == ca
    (tmp_path / "path.pem").write_bytes(path)
    command = ["openssl", "verify", "-CAfile", str(service.root), str(tmp_path / "path.pem")]
    assert subprocess.run(command, check=False, capture_output=True, timeout=30).returncode == 0
    assert fetch(service, "/ca/clients.crt", If_None_Match="*")[0].status == 304


@pytest.mark.parametrize("path", ["/crl/nobody.crl", "/ca/nobody.crt", "/ca/nobody.pem", "/acme/directory", "/healthz"])
def test_what_is_not_there_is_a_problem(service: Running, path: str) -> None:
    """Also without TLS: there only what is public answers, no ACME."""
    response, content = fetch(service, path)
    assert (response.status, response.headers["Content-Type"]) == (404, "application/problem+json")
    assert json.loads(content)["status"] == 404
