"""OCSP with a real responder (openssl ocsp): clients asked about in the handshake, and an answer stapled."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from counterseal.nginx.ocsp import OCSP
from counterseal.nginx.site import Revocation
from integration.nginx.lab import authority, client, key_pem, material, pem
from integration.nginx.responders import forwarder, responder
from integration.nginx.visitor import Visitor
from nginx_process import WITHIN
from pki_fixtures import CERTIFICATE_CREATED, CERTIFICATE_EXPIRES, Issued, new_key
from ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from integration.nginx.conftest import Start

pytestmark = pytest.mark.nginx

ALICE, BOB, EVE = (client(f"CN={name},O=Lab") for name in ("alice", "bob", "eve"))
PROBE = "/.well-known/counterseal"


def asking(port: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of a site
    """Return a site that asks this responder, and has no list of its own."""
    return {"ocsp": OCSP(f"http://127.0.0.1:{port}/"), "revocation": Revocation.MAP, **changes}


def test_the_responder_decides(start: Start, tmp_path: Path) -> None:
    """Good is admitted; revoked and unknown are not, though neither list nor map has them."""
    with responder(tmp_path, "staff", [ALICE], [BOB]) as port:
        site = start(**asking(port))
        assert Visitor(site, ALICE).get(PROBE).decision == "admitted"
        revoked, unknown = Visitor(site, BOB).get(PROBE), Visitor(site, EVE).get(PROBE)
    assert (revoked.decision, revoked.title) == ("refused 495", "Certificate revoked")
    assert (unknown.decision, unknown.line[4]) == ("refused 495", "FAILED:certificate status unknown")
    assert Visitor(site).get(PROBE).decision == "refused 496"


def test_without_a_responder_nobody_gets_in_but_who_is_cached(start: Start, tmp_path: Path) -> None:
    """A hard fail, with a page that says it is nobody's certificate; the cache outlives the responder."""
    with responder(tmp_path, "staff", [ALICE]) as port:
        site = start(**asking(port))
        assert Visitor(site, ALICE).get(PROBE).decision == "admitted"
    assert Visitor(site, ALICE).get(PROBE).decision == "admitted"
    refused = Visitor(site, EVE).get(PROBE)
    assert (refused.decision, refused.title) == ("refused 495", "Status of certificates unknown")
    assert refused.line[4] == "FAILED:certificate status request failed"


def test_a_slow_responder_is_waited_for(start: Start, tmp_path: Path) -> None:
    """The client waits as long as the responder takes, once."""
    with responder(tmp_path, "staff", [ALICE]) as behind, forwarder(behind, delay=1.0) as port:
        site = start(**asking(port))
        began = time.monotonic()
        assert Visitor(site, ALICE).get(PROBE).decision == "admitted"
        assert time.monotonic() - began >= 1.0


@pytest.mark.slow
def test_a_responder_that_hangs_holds_a_client_for_ten_seconds(start: Start) -> None:
    """Not for the minute that nginx would give it; then the connection ends without an answer."""
    with forwarder(None) as port:
        site = start(**asking(port))
        visitor = Visitor(site, ALICE)
        began = time.monotonic()
        with (
            socket.create_connection(("127.0.0.1", site), timeout=30) as raw,
            visitor.context.wrap_socket(raw, server_hostname="panel.test") as tls,
        ):
            tls.sendall(f"GET {PROBE} HTTP/1.1\r\nHost: panel.test\r\n\r\n".encode())
            with suppress(ssl.SSLEOFError, ConnectionError):
                assert tls.recv(100) == b""
        assert 8 < time.monotonic() - began < 50


def stapled_server(ca: str, port: int) -> Issued:
    """Return a server certificate for panel.test that names this responder."""
    key, issuer = new_key(), authority(ca)
    location = x509.UniformResourceIdentifier(f"http://127.0.0.1:{port}/")
    access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, location)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(CERTIFICATE_CREATED)
        .not_valid_after(CERTIFICATE_EXPIRES)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("panel.test")]), critical=True)
        .add_extension(x509.AuthorityInformationAccess([access]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    return Issued(builder.sign(issuer.private_key, hashes.SHA256()), key)


@pytest.mark.parametrize("ca", ["server", "foreign"])
def test_an_answer_is_stapled_and_its_ca_lets_no_client_in(start: Start, tmp_path: Path, ca: str) -> None:
    """The issuer that nginx needs for it stands in the chain, and is no anchor for clients."""
    port = free_port()
    server = stapled_server(ca, port)
    with responder(tmp_path, ca, [server], port=port):
        given = material(certificate_chain=pem(server, authority(ca)), private_key=key_pem(server))
        site = start(given, stapling=True)
        assert _is_stapled(site)
        intruder, alice = Visitor(site, client("CN=alice,O=Lab", ca=ca), issuer=ca), Visitor(site, ALICE)
        for visitor in (intruder, alice):
            visitor.context.verify_mode = ssl.CERT_NONE  # of a foreign server, too
        assert intruder.get(PROBE).decision == "refused 495"
        assert alice.get(PROBE).decision == "admitted"


def _is_stapled(port: int) -> bool:
    """Connect until an answer comes along: nginx asks for it at the first handshake, and has it at a later one."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "panel.test", "-status"]
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        said = subprocess.run(command, input=b"", capture_output=True, timeout=WITHIN, check=False).stdout
        if b"OCSP Response Status: successful" in said and b"Cert Status: good" in said:
            return True
        time.sleep(0.05)
    return False
