"""Enrolment with services that break off, lie about the key, or hand over what does not fit."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from counterseal.agent.enroll import Wish, enroll
from counterseal.errors import CountersealError, FileError
from counterseal.pki.keys import P256, KeySpec, key_spec_of
from pki_fixtures import CERTIFICATE_CREATED, CERTIFICATE_EXPIRES, Issued, make_ca, pki
from tls_answers import tls_serving

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

    from counterseal.agent.address import ServerAddress
    from counterseal.agent.enroll import Held

SECRET = "cst_0123456789abcdef"


def certs_only(*certificates: x509.Certificate) -> bytes:
    """Return the body of an answer."""
    return base64.encodebytes(pkcs7.serialize_certificates(list(certificates), Encoding.DER))


def issue(csr: x509.CertificateSigningRequest, issuer: Issued) -> x509.Certificate:
    """Sign what a CSR asks for."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(csr.subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(csr.public_key())
        .serial_number(7)
        .not_valid_before(CERTIFICATE_CREATED)
        .not_valid_after(CERTIFICATE_EXPIRES)
    )
    return builder.sign(issuer.private_key, hashes.SHA256())


def service(answer: Callable[[x509.CertificateSigningRequest], bytes | None]) -> Callable[[ssl.SSLSocket], None]:
    """Return a server of EST that answers ``simpleenroll`` with this, and breaks off where that is None."""

    def behave(connection: ssl.SSLSocket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65_536)
        head, _, body = request.partition(b"\r\n\r\n")
        if head.startswith(b"GET /.well-known/est/cacerts "):
            said: bytes | None = certs_only(pki().client_ca.certificate, pki().root.certificate)
        else:
            length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
            while len(body) < length:
                body += connection.recv(65_536)
            said = answer(x509.load_der_x509_csr(base64.b64decode(body)))
        if said is not None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(said) + said)

    return behave


def enrolling(server: ServerAddress, out: Path, name: str | None = "pump", key: KeySpec = P256) -> Held:
    """Enrol with the root that is right."""
    pin = pki().root.certificate.fingerprint(hashes.SHA256())
    wish = Wish(name, (), key)
    return enroll(server, wish, out, secret=SECRET, fingerprint=pin, anchors=None, force=False)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda _: None, "remote.broken"),
        (lambda _: certs_only(pki().client.certificate), "est.other_key"),
        (lambda csr: certs_only(issue(csr, make_ca("Test Client CA", make_ca("Elsewhere")))), "est.path"),
        (lambda _: b"AAAA", "est.malformed"),
    ],
    ids=["breaks off", "another key", "another CA", "nonsense"],
)
def test_what_does_not_fit_is_not_written(
    tmp_path: Path, answer: Callable[[x509.CertificateSigningRequest], bytes | None], code: str
) -> None:
    """Only the key waits, and the next try, at a service that answers, asks for that one."""
    out = tmp_path / "out"
    chain = (pki().server, pki().server_ca)
    with tls_serving(tmp_path, chain, service(answer)) as server, pytest.raises(CountersealError) as caught:
        enrolling(server, out)
    assert caught.value.code == code
    (waiting,) = out.iterdir()
    assert waiting.stat().st_mode & 0o777 == 0o600
    key = waiting.read_bytes()
    with tls_serving(tmp_path, chain, service(lambda csr: certs_only(issue(csr, pki().client_ca)))) as server:
        held = enrolling(server, out)
    assert (out / "pump.key.pem").read_bytes() == key
    assert held.credential.trust_anchor == pki().root.certificate
    assert not waiting.exists()


def test_a_key_that_waits_is_not_taken_for_one_of_another_kind(tmp_path: Path) -> None:
    """Who asks for another kind the second time gets one, and its certificate."""
    out, chain, wished = tmp_path / "out", (pki().server, pki().server_ca), KeySpec("p-384")
    with tls_serving(tmp_path, chain, service(lambda _: None)) as server, pytest.raises(CountersealError):
        enrolling(server, out)
    with tls_serving(tmp_path, chain, service(lambda csr: certs_only(issue(csr, pki().client_ca)))) as server:
        held = enrolling(server, out, key=wished)
    assert key_spec_of(held.credential.certificate.public_key()) == wished
    assert not [*out.glob(".enroll-*")]


def test_a_name_that_is_taken_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    """The token is not spent for it."""
    (tmp_path / "pump.key.pem").write_text("of somebody else")
    asked: list[object] = []
    behave = service(asked.append)
    with tls_serving(tmp_path, (pki().server, pki().server_ca), behave) as server, pytest.raises(FileError):
        enrolling(server, tmp_path)
    assert asked == []
    assert (tmp_path / "pump.key.pem").read_text() == "of somebody else"
