"""Real clients arrive at ``counterseal listen``: curl, openssl, and one that speaks no TLS."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from listening import listening
from prove_pki import certificate_pem, key_pem, prove_pki

if TYPE_CHECKING:
    from pathlib import Path

PKI = prove_pki()
CHAINS = {
    "good": (PKI.good, PKI.client_ca),
    "expired": (PKI.expired, PKI.client_ca),
    "foreign": (PKI.foreign,),
    "server": (PKI.server, PKI.server_ca),
}


def curl(port: int, directory: Path, kind: str | None, *options: str) -> str:
    """Ask as a client of this kind, and return the page."""
    if kind is not None:
        path = directory / f"{kind}.pem"
        path.write_bytes(certificate_pem(*CHAINS[kind]) + key_pem(CHAINS[kind][0]))
        options = ("--cert", str(path), *options)
    command = ["curl", "--silent", "--insecure", "--max-time", "10", f"https://localhost:{port}/", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_clients_are_told_apart(tmp_path: Path, tls: str) -> None:
    """Good, expired, foreign and none: each as what nginx would make of it, and the page says the same."""
    with listening(tmp_path, "--tls", tls, "--json", "--count", "4") as desk:
        pages = [curl(desk.port, tmp_path, kind) for kind in ("good", "expired", "foreign", None)]
        good, expired, foreign, without = desk.arrivals()
    assert all(f"TLS {tls}" in page and "<script" not in page for page in pages)
    assert good["heading"] == "the client came with CN=probe good,OU=counterseal-probe, and nginx would let it in"
    assert good["heading"] in pages[0]
    assert good["diagnosis"] is None
    assert good["client_checks"]["valid"]
    assert expired["diagnosis"]["verify"] == "FAILED:certificate has expired"
    assert foreign["diagnosis"]["code"] == 495
    assert foreign["own"][0]["offered_by_browser"] is False
    assert without["diagnosis"]["code"] == 496
    assert without["server_name"] == "localhost"
    names = [row["name"] for row in good["ladder"]]
    assert {"CertificateRequest", "CertificateVerify", "Finished", "GET / HTTP/1.1", "HTTP 200 OK"} <= set(names)


def test_a_certificate_for_servers(tmp_path: Path) -> None:
    """OpenSSL ends the handshake itself, and the cause is said all the same."""
    with listening(tmp_path, "--json", "--count", "1") as desk:
        curl(desk.port, tmp_path, "server")
        (arrived,) = desk.arrivals()
    assert arrived["diagnosis"]["verify"] == "FAILED:unsuitable certificate purpose"


def test_a_client_that_does_not_trust_us_says_so(tmp_path: Path) -> None:
    """By the alert of openssl s_client."""
    with listening(tmp_path, "--json", "--count", "1") as desk:
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{desk.port}", "-verify_return_error"]
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
        (arrived,) = desk.arrivals()
    assert arrived["alert"] == {"sender": "client", "name": "unknown_ca"}
    assert "does not trust the certificate that it was shown" in arrived["diagnosis"]["cause"]


def test_no_tls_and_nothing_at_all(tmp_path: Path) -> None:
    """Plain HTTP is nginx's 497; who only opens the port is a browser in advance, or a scanner."""
    with listening(tmp_path, "--json", "--count", "2") as desk:
        with socket.create_connection(("127.0.0.1", desk.port), timeout=30) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            while plain.recv(1000):
                pass
        with socket.create_connection(("127.0.0.1", desk.port), timeout=30):
            pass
        arrivals = desk.arrivals()
    plainly = next(one for one in arrivals if one["ending"] == "not-tls")
    nothing = next(one for one in arrivals if one["ending"] != "not-tls")
    assert plainly["diagnosis"]["code"] == 497
    assert nothing["heading"].startswith("the client closes")


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    """With the address in the message."""
    with listening(tmp_path) as desk:
        command = [sys.executable, "-m", "counterseal", "listen", str(desk.port), "--home", str(tmp_path / "no-ca")]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[0] == f"error: cannot listen on 127.0.0.1:{desk.port}: address already in use"
