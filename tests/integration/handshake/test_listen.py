"""Real clients arrive at ``counterseal listen``: curl, openssl, and one that speaks no TLS."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from command import here
from listening import Listening, listening
from meeting import PATIENCE
from prove_pki import certificate_pem, key_pem, prove_pki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PKI = prove_pki()
CHAINS = {
    "good": (PKI.good, PKI.client_ca),
    "expired": (PKI.expired, PKI.client_ca),
    "foreign": (PKI.foreign,),
    "server": (PKI.server, PKI.server_ca),
}


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    """Listen for as many clients as there come."""
    with listening(tmp_path_factory.mktemp("patient"), "--json", *PATIENCE) as running:
        yield running


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


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_the_cas_are_named(tmp_path: Path, tls: str) -> None:
    """To openssl s_client and to our own handshake, which then says of a certificate that it would not be taken."""
    with listening(tmp_path, "--tls", tls, "--json", "--count", "2", *PATIENCE) as desk:
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{desk.port}", "-nameopt", "RFC2253"]
        ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
        (tmp_path / "foreign.pem").write_bytes(certificate_pem(*CHAINS["foreign"]) + key_pem(PKI.foreign))
        own = ("--cert", str(tmp_path / "foreign.pem"))
        met = here(tmp_path / "no-ca", "handshake", f"127.0.0.1:{desk.port}", *own, *PATIENCE, "--json")
        arrivals = desk.arrivals()
    names = ["CN=Test Root", "CN=Test Client CA"]
    assert ran.stdout.partition("Acceptable client certificate CA names\n")[2].splitlines()[:2] == names
    seen = json.loads(met.stdout)["handshake"]["client_certificates"]
    assert seen["accepted_authorities"] == names
    assert seen["own"][0]["reasons"] == ["its CA is not among the accepted ones: CN=Lone Root"]
    assert all(one["accepted_authorities"] == names for one in arrivals)
    without = next(one for one in arrivals if one["diagnosis"]["code"] == 496)
    assert "no certificate of CN=Test Root; CN=Test Client CA, the CAs that were named" in without["diagnosis"]["cause"]
    assert "--any-ca" in without["diagnosis"]["fix"]


def test_no_ca_is_named_on_request(tmp_path: Path) -> None:
    """Then who comes without a certificate has none at all, and one of another CA is judged as before."""
    with listening(tmp_path, "--any-ca", "--json", "--count", "2", *PATIENCE) as desk:
        curl(desk.port, tmp_path, None)
        curl(desk.port, tmp_path, "foreign")
        without, foreign = desk.arrivals()
    assert (without["accepted_authorities"], foreign["accepted_authorities"]) == ([], [])
    assert "named" not in without["diagnosis"]["cause"]
    assert foreign["diagnosis"]["code"] == 495
    assert foreign["own"][0]["offered_by_browser"] is False


def test_more_names_than_a_message_holds(tmp_path: Path) -> None:
    """Are refused before anybody comes, as nginx would not."""
    bundle = certificate_pem(PKI.root) * 4000
    (tmp_path / "bundle.pem").write_bytes(bundle)
    ran = here(tmp_path / "no-ca", "listen", "0", "--client-ca", str(tmp_path / "bundle.pem"))
    assert ran.code == 2
    assert "a CertificateRequest holds 65535" in ran.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ("-tls1_2", "-cipher", "ECDHE-ECDSA-CAMELLIA128-SHA256"),
            "no cipher suite in common: the client offers TLS_E",
        ),
        (("-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_SHA256"), "no cipher suite in common: the client offers TLS_A"),
        (("-tls1_2", "-groups", "brainpoolP256r1"), "no group in common: the client offers brainpoolP256r1, and"),
        (("-tls1_3", "-groups", "ffdhe8192"), "no group in common: the client offers ffdhe8192, and"),
        (("-tls1_2", "-sigalgs", "ECDSA+SHA1", "-cipher", "ALL:@SECLEVEL=0"), "no signature algorithm in common: the"),
        (("-tls1_3", "-sigalgs", "ed25519"), "no signature algorithm in common: the client takes ed25519, and"),
        (("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), "no TLS version in common: the client offers TLS 1.1, and"),
    ],
)
def test_nothing_in_common(patient: Listening, options: tuple[str, ...], words: str) -> None:
    """Which list of the client it was, with what it offers."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{patient.port}", *options]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    arrived = patient.arrival()
    assert arrived["ending"] == "own-fault"
    assert arrived["diagnosis"]["cause"].startswith(words)


def test_no_session_is_taken_up(patient: Listening, tmp_path: Path) -> None:
    """Tickets are given out in TLS 1.3, and the second handshake has certificates all the same."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{patient.port}", "-tls1_3", "-ign_eof"]
    session = tmp_path / "session.pem"

    def names(option: str) -> list[str]:
        request = b"GET / HTTP/1.1\r\n\r\n"
        subprocess.run([*command, option, str(session)], input=request, capture_output=True, timeout=30, check=False)
        return [row["name"] for row in patient.arrival()["ladder"]]

    first = names("-sess_out")
    assert session.is_file()
    assert [names("-sess_in").count("Certificate"), first.count("Certificate")] == [2, 2]


def test_a_certificate_for_servers(tmp_path: Path) -> None:
    """It is let through and judged as nginx does."""
    with listening(tmp_path, "--json", "--count", "1") as desk:
        page = curl(desk.port, tmp_path, "server")
        (arrived,) = desk.arrivals()
    assert arrived["diagnosis"]["verify"] == "FAILED:unsuitable certificate purpose"
    assert arrived["heading"] in page


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


def test_the_text_says_first_who_came_and_when(tmp_path: Path) -> None:
    """Of several clients that arrive from elsewhere each is found again."""
    with listening(tmp_path, "--brief", "--count", "1", *PATIENCE) as desk:
        with socket.create_connection(("127.0.0.1", desk.port), timeout=30) as client:
            port = client.getsockname()[1]
        said, _ = desk.process.communicate(timeout=30)
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC, from 127\.0\.0\.1:{port}", said.splitlines()[0])


def test_who_reads_no_more_ends_it(tmp_path: Path) -> None:
    """As ``| head -1`` does: no traceback, and no port that goes on listening."""
    with listening(tmp_path) as desk:
        assert desk.process.stdout is not None
        desk.process.stdout.close()
        curl(desk.port, tmp_path, None)
        _, complained = desk.process.communicate(timeout=30)
    assert (desk.process.returncode, complained) == (0, "")
