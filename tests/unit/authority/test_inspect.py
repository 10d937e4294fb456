"""Inspection puts together what files hold, asks for passwords only where needed, and survives any bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
)
from cryptography.x509.oid import AttributeOID
from hypothesis import given, settings
from hypothesis import strategies as st

from bundle_fixtures import client_credential
from counterseal.authority.inspect import inspect
from counterseal.authority.inspect_json import files_to_json
from counterseal.authority.inspected import GivenFile, PKCS12Facts, PrivateKeyFacts
from counterseal.bundles.pkcs12 import Strength, encode
from counterseal.cli.inspect_text import files_to_text
from counterseal.pki.shape import Kind
from cpu_time import at_most
from pki_fixtures import CERTIFICATE_CREATED, CERTIFICATE_EXPIRES, WHILE_VALID, pki

if TYPE_CHECKING:
    from counterseal.authority.inspected import InspectedFile

PKI = pki()
PEM = {
    name: getattr(PKI, name).certificate.public_bytes(Encoding.PEM)
    for name in ("root", "server_ca", "server", "client")
}
KEY = PKI.server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
CLOSED_KEY = PKI.server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
PKCS12 = encode(client_credential(), "secret", strength=Strength.MODERN, rounds=2048)


def _crl() -> bytes:
    entry = x509.RevokedCertificateBuilder().serial_number(7).revocation_date(CERTIFICATE_CREATED)
    entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
    builder = x509.CertificateRevocationListBuilder().issuer_name(PKI.root.certificate.subject)
    builder = builder.add_revoked_certificate(entry.build()).add_extension(x509.CRLNumber(3), critical=False)
    builder = builder.last_update(CERTIFICATE_CREATED).next_update(CERTIFICATE_EXPIRES)
    return builder.sign(PKI.root.private_key, hashes.SHA256()).public_bytes(Encoding.DER)


def _csr() -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(PKI.server.certificate.subject)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("a.example")]), critical=False)
    builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, b"hush")
    return builder.sign(PKI.server.private_key, hashes.SHA256()).public_bytes(Encoding.DER)


def _inspect(*contents: bytes, password: bytes | None = None, mode: int | None = None) -> tuple[InspectedFile, ...]:
    files = [GivenFile(f"{number}.pem", content, mode) for number, content in enumerate(contents, 1)]
    return inspect(files, at=WHILE_VALID, password=lambda _: password)


def test_what_belongs_together_is_said_across_files() -> None:
    """Issuers and keys are found wherever they were given, and the places name them."""
    chain, key, crl = _inspect(PEM["server"] + PEM["server_ca"] + PEM["root"], KEY, _crl())
    server, issuing, root = chain.things
    assert (server.issued_by, server.key_at) == ("1.pem #2", "2.pem")
    assert (issuing.issued_by, root.issued_by) == ("1.pem #3", "1.pem #3")
    assert chain.arrangement == "a chain in the order of nginx's ssl_certificate"
    assert key.things[0].findings == ()
    assert crl.things[0].issued_by == "1.pem #3"


def test_a_key_of_another_certificate_is_told() -> None:
    """The most frequent mistake of all; with no certificate beside it there is nothing to compare."""
    _, key = _inspect(PEM["client"], KEY)
    assert [finding.code for finding in key.things[0].findings] == ["bundle.key_mismatch"]
    assert _inspect(KEY)[0].things[0].findings == ()


def test_a_key_that_others_can_read_is_told() -> None:
    """By the mode of its file; an encrypted one may lie about."""
    assert [finding.code for finding in _inspect(KEY, mode=0o644)[0].findings] == ["file.mode"]
    assert _inspect(KEY, mode=0o600)[0].findings == ()
    assert _inspect(CLOSED_KEY, mode=0o644)[0].findings == ()


@pytest.mark.parametrize(("password", "opened"), [(None, False), (b"secret", True), (b"wrong", False)])
def test_encrypted_keys(password: bytes | None, opened: bool) -> None:  # noqa: FBT001 - the expectation
    """Closed it tells its encryption, opened its kind; a wrong password is told and nothing else is lost."""
    thing = _inspect(CLOSED_KEY, password=password)[0].things[0]
    assert isinstance(thing.facts, PrivateKeyFacts)
    assert (thing.facts.key is not None) is opened
    assert thing.facts.encryption
    assert [finding.code for finding in thing.findings] == (["key.passphrase_wrong"] if password == b"wrong" else [])


@pytest.mark.parametrize(("password", "kinds"), [(None, 1), (b"secret", 5), (b"wrong", 1)])
def test_pkcs12(password: bytes | None, kinds: int) -> None:
    """Opened, the key, its certificate, the CA and the root follow, and belong together."""
    things = _inspect(PKCS12, password=password)[0].things
    facts = things[0].facts
    assert isinstance(facts, PKCS12Facts)
    assert (facts.strength, facts.opened, len(things)) == (Strength.MODERN, kinds > 1, kinds)
    if facts.opened:
        assert [thing.kind for thing in things[1:]] == [Kind.PRIVATE_KEY, *[Kind.CERTIFICATE] * 3]
        assert (things[2].key_at, things[2].issued_by) == ("1.pem #0", "1.pem #2")
    assert [finding.code for finding in things[0].findings] == (["pkcs12.password"] if password == b"wrong" else [])


def test_nothing_secret_is_shown() -> None:
    """No password, no key and no challenge password, in whichever form."""
    found = _inspect(KEY, PKCS12, _csr(), CLOSED_KEY, password=b"secret")
    shown = files_to_text(found, full=True) + json.dumps(files_to_json(found)) + repr(found)
    assert isinstance(PKI.server.private_key, ec.EllipticCurvePrivateKey)
    private_value = PKI.server.private_key.private_numbers().private_value
    for secret in ("hush", f"{private_value:x}", str(private_value), KEY.decode().splitlines()[1]):
        assert secret not in shown


def test_a_pkcs7_and_a_file_of_nothing() -> None:
    """Its certificates are things of their own; text is told for what it is."""
    bundle, nothing = _inspect(pkcs7.serialize_certificates([PKI.root.certificate], Encoding.DER), b"hello")
    assert [thing.kind for thing in bundle.things] == [Kind.PKCS7, Kind.CERTIFICATE]
    assert bundle.things[1].part_of == "1.pem"
    assert (bundle.is_readable, nothing.is_readable) == (True, False)
    assert "text without any PEM block" in files_to_text([nothing], full=False)


def test_many_certificates_are_a_table() -> None:
    """A line for each; with --full everything."""
    found = _inspect(PEM["root"] * 8)
    assert "--full" in files_to_text(found, full=False)
    assert files_to_text(found, full=True).count("basicConstraints") == 8


SAMPLES = [
    PKI.server.certificate.public_bytes(Encoding.DER),
    PKI.root.certificate.public_bytes(Encoding.DER),
    _crl(),
    _csr(),
    PKCS12,
    PKI.server.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
]


@settings(max_examples=300)
@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.integers(0, 2400), st.binary(min_size=1, max_size=3)), max_size=4),
    st.sampled_from([None, b"secret"]),
)
def test_no_mutation_makes_it_fail(sample: bytes, edits: list[tuple[int, bytes]], password: bytes | None) -> None:
    """Whatever is changed in a certificate, list, request, key or PKCS#12, an answer is there soon, in both forms."""
    content = bytearray(sample)
    for position, replacement in edits:
        at = position % len(content)
        content[at : at + len(replacement)] = replacement
    with at_most(2):
        found = _inspect(bytes(content), PEM["server_ca"], password=password)
        assert files_to_text(found, full=True)
        assert json.dumps(files_to_json(found))
