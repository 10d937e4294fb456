"""Must-staple over the wire (RFC 7633): a server that asks for it by the API or EST has it, and goes on having it."""

from __future__ import annotations

import json
import time
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from api_client import CONFIGURATION, Client, make_api
from command import counterseal
from counterseal.pki.extensions import must_staple
from counterseal.pki.possession import prove_possession
from counterseal.pki.shown import show_serial
from counterseal.pki.subject import subject_of
from service_process import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator

STAPLE = x509.TLSFeature([x509.TLSFeatureType.status_request])
KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a service whose certificates name a responder."""
    home = tmp_path_factory.mktemp("staple") / "home"
    make_api(home, f'{CONFIGURATION}[est]\n[serve]\nhttp_url = "http://pki.example.com"\n', names=["operator"])
    with running(home) as service:
        yield service


def csr_for(name: str, *extensions: x509.ExtensionType) -> x509.CertificateSigningRequest:
    """Return a CSR that asks for this DNS name, and these extensions."""
    builder = x509.CertificateSigningRequestBuilder(subject_of(name))
    for extension in (x509.SubjectAlternativeName([x509.DNSName(name)]), *extensions):
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(KEY, SHA256())


def test_the_api_issues_and_renews_it(service: Running) -> None:
    """Without the wish nothing demands a response."""
    operator = Client(service, "operator")
    for wishes in ((STAPLE,), ()):
        pem = csr_for("api.test", *wishes).public_bytes(Encoding.PEM).decode()
        answer = operator.call("POST", "/v1/certificates", {"csr": pem, "profile": "server"})
        for _ in range(2):
            assert (answer.status, answer.json["remarks"]) == (201, []), answer.content
            made = x509.load_pem_x509_certificate(answer.json["chain"].encode())
            assert must_staple(made.extensions) is bool(wishes)
            answer = operator.call("POST", f"/v1/certificates/{show_serial(made.serial_number)}/renew", {})


def test_est_issues_it_and_its_renewal_keeps_it(service: Running) -> None:
    """Also where the CSR of the renewal forgets to ask."""
    token = counterseal(service.home, "token", "est.test", "--profile", "server", "--json")
    first = enrolled(service, "simpleenroll", csr_for("est.test", STAPLE), json.loads(token.stdout)["secret"])
    again = csr_for("est.test")
    proof = prove_possession(KEY, first, again.public_bytes(Encoding.DER), at=int(time.time()))
    second = enrolled(service, "simplereenroll", again, proof)
    assert [must_staple(one.extensions) for one in (first, second)] == [True, True]
    assert first.serial_number != second.serial_number


def enrolled(service: Running, operation: str, csr: x509.CertificateSigningRequest, secret: str) -> x509.Certificate:
    """Return the certificate that EST gives for it."""
    headers = {"Content-Type": "application/pkcs10", "Authorization": f"Bearer {secret}"}
    body = b64encode(csr.public_bytes(Encoding.DER))
    response, content = service.request("POST", f"/.well-known/est/{operation}", body, headers)
    assert response.status == 200, content
    (found,) = pkcs7.load_der_pkcs7_certificates(b64decode(content))
    return found
