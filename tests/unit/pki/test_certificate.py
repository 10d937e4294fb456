"""Certificates put together here are, octet for octet, what the cryptography library's builder makes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from counterseal.keystore.software import SoftwareSigner, generate_key
from counterseal.pki.certificate import (
    CARequest,
    IssuanceRequest,
    Issuer,
    assemble_ca,
    assemble_end_entity,
    purpose_of,
)
from counterseal.pki.keys import parse_key_spec
from counterseal.pki.lint import lint
from counterseal.pki.names import parse_name
from counterseal.pki.pointers import pointers
from counterseal.pki.profile import CLIENT, SERVER, Profile, Purpose
from counterseal.pki.subject import parse_subject
from pki_fixtures import make_ca, make_server

BEGIN = datetime(2026, 11, 1, 12, tzinfo=UTC)
ROOT_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)  # RSA signs the same bytes the same way


def _root() -> x509.Certificate:
    signer = SoftwareSigner(ROOT_KEY)
    subject, end = parse_subject("/O=example/CN=Root CA"), BEGIN + timedelta(days=9000)
    request = CARequest(subject, signer.public_key, BEGIN, end, 2**100, 1, None)
    return x509.load_der_x509_certificate(assemble_ca(request, None, signer.signature_algorithm).sign(signer))


def test_a_root_equals_the_builder_s() -> None:
    """A self-signed CA with dates past 2049."""
    expected = (
        x509.CertificateBuilder()
        .subject_name(parse_subject("/O=example/CN=Root CA"))
        .issuer_name(parse_subject("/O=example/CN=Root CA"))
        .public_key(ROOT_KEY.public_key())
        .serial_number(2**100)
        .not_valid_before(BEGIN)
        .not_valid_after(BEGIN + timedelta(days=9000))
        .add_extension(x509.BasicConstraints(True, 1), True)
        .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ROOT_KEY.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ROOT_KEY.public_key()), False)
        .sign(ROOT_KEY, hashes.SHA256())
    )
    assert _root() == expected


@pytest.mark.parametrize("kind", ["p-256", "p-384", "p-521", "rsa-2048", "ed25519", "ed448"])
@pytest.mark.parametrize("profile", [SERVER, CLIENT])
def test_an_end_entity_equals_the_builder_s(kind: str, profile: Profile) -> None:
    """Every kind of key, with names and without."""
    root, key = _root(), generate_key(parse_key_spec(kind))
    texts = ("a.example", "*.b.example", "10.0.0.1", "::1") if profile is SERVER else ()
    names = tuple(parse_name(text) for text in texts)
    signer = SoftwareSigner(ROOT_KEY)
    subject = parse_subject("CN=a.example,OU=ops")
    end = BEGIN + timedelta(days=90)
    request = IssuanceRequest(profile, subject, names, key.public_key(), BEGIN, end, 2**127 + 5)
    draft = assemble_end_entity(request, Issuer.of("root", [root], Purpose.ANY), signer.signature_algorithm)
    is_rsa = kind.startswith("rsa")
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(root.subject)
        .public_key(key.public_key())
        .serial_number(2**127 + 5)
        .not_valid_before(BEGIN)
        .not_valid_after(BEGIN + timedelta(days=90))
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(x509.KeyUsage(True, False, is_rsa, False, False, False, False, False, False), True)
        .add_extension(x509.ExtendedKeyUsage(profile.purpose.extended_key_usages), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ROOT_KEY.public_key()), False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    made = x509.load_der_x509_certificate(draft.sign(signer))
    assert made == builder.sign(ROOT_KEY, hashes.SHA256())
    assert {finding.code for finding in lint(made, [root])} <= {"lint.server_key"}  # of a server whose key it is
    made.verify_directly_issued_by(root)


def test_must_staple_is_the_last_extension_and_equals_the_library_s() -> None:
    """Not critical, as RFC 7633 has it: who does not know it passes over it."""
    signer, key = SoftwareSigner(ROOT_KEY), ROOT_KEY.public_key()
    plain = IssuanceRequest(SERVER, parse_subject("CN=a.example"), (), key, BEGIN, BEGIN + timedelta(days=9), 2**127)
    above = Issuer.of("root", [_root()], Purpose.ANY, pointers("http://pki.example", "root"))
    without, made = (
        [*assemble_end_entity(one, above, signer.signature_algorithm).preview().extensions]
        for one in (plain, plain._replace(must_staple=True))
    )
    assert made[:-1] == without
    feature = x509.TLSFeature([x509.TLSFeatureType.status_request])
    assert (made[-1].value, made[-1].critical) == (feature, False)
    assert made[-1].value.public_bytes() == feature.public_bytes()


@pytest.mark.parametrize(
    ("usages", "purpose"),
    [
        ([ExtendedKeyUsageOID.SERVER_AUTH], Purpose.SERVER),
        ([ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.CLIENT_AUTH], Purpose.CLIENT),
        ([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH], Purpose.ANY),
        ([ExtendedKeyUsageOID.EMAIL_PROTECTION], Purpose.ANY),
    ],
)
def test_what_a_certificate_is_for(usages: list[x509.ObjectIdentifier], purpose: Purpose) -> None:
    """For one purpose only where it names one of the two, and not the other."""
    assert purpose_of(make_server(make_ca("Root"), "a.test", purposes=usages).certificate) is purpose


def test_a_certificate_that_names_no_use_is_for_any() -> None:
    """As nginx takes it."""
    assert purpose_of(_root()) is Purpose.ANY
