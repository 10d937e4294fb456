"""Every rule about requests fires on one with one thing wrong; a good request passes all."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AttributeOID, ExtendedKeyUsageOID, NameOID

from counterseal.pki import der, der_reader
from counterseal.pki.lint.csr import CSR_RULES, lint_csr
from lint_samples import KEY, name
from pki_fixtures import PrivateKey, key_of

RULES = {rule.__name__: rule for rule in CSR_RULES}
SERVER = name((NameOID.COMMON_NAME, "a.example"))
NAMES = x509.SubjectAlternativeName([x509.DNSName("a.example")])


def _request(
    *extensions: x509.ExtensionType, subject: x509.Name = SERVER, key: PrivateKey = KEY, secret: bytes | None = None
) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, secret) if secret else builder
    return builder.sign(key, hashes.SHA256())


def _edited(request: x509.CertificateSigningRequest, old: bytes, new: bytes) -> x509.CertificateSigningRequest:
    content = request.public_bytes(Encoding.DER)
    assert old in content
    return x509.load_der_x509_csr(content.replace(old, new))


def _asking_twice() -> x509.CertificateSigningRequest:
    """Return a request with the attribute of extensions twice."""
    body, algorithm, signature = der_reader.read(_request(NAMES).public_bytes(Encoding.DER)).children()
    version, subject, key, attributes = body.children()
    twice = der.wrap(0xA0, attributes.content, attributes.content)
    parts = der.sequence(version.whole, subject.whole, key.whole, twice)
    return x509.load_der_x509_csr(der.sequence(parts, algorithm.whole, signature.whole))


GOOD = _request(NAMES)
ECDSA_SHA256, ECDSA_SHA1 = (der.object_identifier(oid) for oid in ("1.2.840.10045.4.3.2", "1.2.840.10045.4.1"))


def _sha1() -> x509.CertificateSigningRequest:
    """Return one that says SHA-1; its signature is not looked at."""
    body, _, signature = der_reader.read(GOOD.public_bytes(Encoding.DER)).children()
    return x509.load_der_x509_csr(der.sequence(body.whole, der.sequence(ECDSA_SHA1), signature.whole))


def _for_pss() -> x509.CertificateSigningRequest:
    """Return one whose key is for RSA-PSS alone."""
    whole = _request(NAMES, key=key_of("rsa-2048")).public_bytes(Encoding.DER)
    body, algorithm, signature = der_reader.read(whole).children()
    version, subject, key, attributes = body.children()
    for_pss = der.sequence(der.sequence(der.object_identifier("1.2.840.113549.1.1.10")), key.children()[1].whole)
    parts = der.sequence(version.whole, subject.whole, for_pss, attributes.whole)
    return x509.load_der_x509_csr(der.sequence(parts, algorithm.whole, signature.whole))


CASES: dict[str, list[tuple[x509.CertificateSigningRequest, list[str]]]] = {
    "csr_readable": [
        (_asking_twice(), ["lint.csr_unreadable"]),
        (_edited(GOOD, b"\x82\x09a.example", b"\x9f\x09a.example"), ["lint.csr_unreadable"]),
    ],
    "csr_signature": [(_edited(GOOD, b"\x82\x09a.example", b"\x82\x09b.example"), ["lint.csr_signature"])],
    "csr_signature_algorithm": [(_sha1(), ["lint.csr_signature_weak"])],
    "csr_key": [
        (_request(NAMES, key=key_of("secp256k1")), ["key.unsuitable"]),
        (_for_pss(), ["lint.key"]),
    ],
    "csr_subject": [(_request(NAMES, subject=name((NameOID.COMMON_NAME, "a" * 65))), ["lint.csr_subject"])],
    "csr_names": [
        (_request(), ["lint.csr_names"]),
        (_request(subject=x509.Name([])), ["lint.csr_names"]),
        (
            _request(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), subject=name((NameOID.COMMON_NAME, "x"))
            ),
            ["lint.csr_names"],
        ),
    ],
    "csr_name_syntax": [
        (_request(x509.SubjectAlternativeName([x509.DNSName("a,URI:x")])), ["lint.csr_name_syntax"]),
    ],
    "csr_wants_ca": [(_request(NAMES, x509.BasicConstraints(True, None)), ["lint.csr_wants_ca"])],
    "csr_challenge_password": [(_request(NAMES, secret=b"hush"), ["lint.csr_challenge_password"])],
}


@pytest.mark.parametrize(("rule", "request_", "codes"), [(r, *case) for r, cases in CASES.items() for case in cases])
def test_each_rule_fires(rule: str, request_: x509.CertificateSigningRequest, codes: list[str]) -> None:
    """With its codes, whatever else is said; and not on the good request."""
    said = [finding.code for finding in lint_csr(request_)]
    assert set(codes) <= set(said)
    assert rule in RULES


def test_every_rule_has_a_case_and_a_good_request_passes_all() -> None:
    """A new rule is not forgotten; a client's request needs no name beside its subject, and odd kinds are let be."""
    assert set(CASES) == set(RULES)
    assert lint_csr(GOOD) == ()
    assert lint_csr(_request(subject=name((NameOID.COMMON_NAME, "alice")))) == ()
    other = x509.SubjectAlternativeName([x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))])
    assert lint_csr(_request(other)) == ()
