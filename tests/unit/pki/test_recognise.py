"""Files of every form are recognised by what they hold, and no bytes at all make the recogniser fail."""

from __future__ import annotations

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
    pkcs12,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from counterseal.errors import InputError
from counterseal.pki.reading import certificates_in, crls_in
from counterseal.pki.recognise import recognise
from counterseal.pki.shape import Kind
from pki_fixtures import CERTIFICATE_CREATED, CERTIFICATE_EXPIRES, key_of, pki

PKI = pki()
PASSWORD = BestAvailableEncryption(b"secret")
RSA_KEY = key_of("rsa-2048")
assert isinstance(RSA_KEY, rsa.RSAPrivateKey)
CERTIFICATE = PKI.server.certificate
DER, PEM = CERTIFICATE.public_bytes(Encoding.DER), CERTIFICATE.public_bytes(Encoding.PEM)


def _crl() -> x509.CertificateRevocationList:
    builder = x509.CertificateRevocationListBuilder().issuer_name(PKI.root.certificate.subject)
    builder = builder.last_update(CERTIFICATE_CREATED).next_update(CERTIFICATE_EXPIRES)
    return builder.sign(PKI.root.private_key, hashes.SHA256())


def _csr() -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder().subject_name(CERTIFICATE.subject)
    return builder.sign(PKI.server.private_key, hashes.SHA256())


def _key(form: PrivateFormat, encoding: Encoding, *, encrypted: bool = False) -> bytes:
    return RSA_KEY.private_bytes(encoding, form, PASSWORD if encrypted else NoEncryption())


SEC1 = PKI.server.private_key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
PKCS12 = pkcs12.serialize_key_and_certificates(b"x", PKI.server.private_key, CERTIFICATE, None, PASSWORD)
SAMPLES = {
    "certificate-der": (DER, Kind.CERTIFICATE),
    "certificate-pem": (PEM, Kind.CERTIFICATE),
    "crl-der": (_crl().public_bytes(Encoding.DER), Kind.CRL),
    "crl-pem": (_crl().public_bytes(Encoding.PEM), Kind.CRL),
    "csr-der": (_csr().public_bytes(Encoding.DER), Kind.CSR),
    "csr-pem": (_csr().public_bytes(Encoding.PEM), Kind.CSR),
    "pkcs8-der": (_key(PrivateFormat.PKCS8, Encoding.DER), Kind.PRIVATE_KEY),
    "pkcs8-pem": (_key(PrivateFormat.PKCS8, Encoding.PEM), Kind.PRIVATE_KEY),
    "pkcs1-der": (_key(PrivateFormat.TraditionalOpenSSL, Encoding.DER), Kind.PRIVATE_KEY),
    "pkcs1-pem": (_key(PrivateFormat.TraditionalOpenSSL, Encoding.PEM), Kind.PRIVATE_KEY),
    "sec1-der": (SEC1, Kind.PRIVATE_KEY),
    "encrypted-der": (_key(PrivateFormat.PKCS8, Encoding.DER, encrypted=True), Kind.ENCRYPTED_PRIVATE_KEY),
    "encrypted-pem": (_key(PrivateFormat.PKCS8, Encoding.PEM, encrypted=True), Kind.ENCRYPTED_PRIVATE_KEY),
    "dek-info-pem": (_key(PrivateFormat.TraditionalOpenSSL, Encoding.PEM, encrypted=True), Kind.ENCRYPTED_PRIVATE_KEY),
    "spki-der": (RSA_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), Kind.PUBLIC_KEY),
    "pkcs1-public-pem": (RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1), Kind.PUBLIC_KEY),
    "pkcs12": (PKCS12, Kind.PKCS12),
    "pkcs7-der": (pkcs7.serialize_certificates([CERTIFICATE], Encoding.DER), Kind.PKCS7),
    "pkcs7-pem": (pkcs7.serialize_certificates([CERTIFICATE], Encoding.PEM), Kind.PKCS7),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_each_form_is_recognised(name: str) -> None:
    """By content, in PEM and in DER, and without a complaint."""
    content, kind = SAMPLES[name]
    (piece,) = recognise(content)
    assert (piece.kind, piece.problem) == (kind, None)
    if not name.endswith("pem"):
        assert piece.content == content


def test_a_bundle_keeps_its_order_and_its_lines() -> None:
    """Text between the blocks and CRLF are passed over; every piece tells on which line it begins."""
    key = SAMPLES["pkcs8-pem"][0]
    text = b"subject: CN=server\n" + PEM + b"\nBag Attributes\n  friendlyName: x\n" + key + SAMPLES["crl-pem"][0]
    for content in (text, text.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + text):
        pieces = recognise(content)
        assert [piece.kind for piece in pieces] == [Kind.CERTIFICATE, Kind.PRIVATE_KEY, Kind.CRL]
        assert [piece.line for piece in pieces] == [2, PEM.count(b"\n") + 5, (PEM + key).count(b"\n") + 5]
        assert [piece.problem for piece in pieces] == [None] * 3


def test_what_openssl_keeps_behind_a_certificate_is_split_off() -> None:
    """A TRUSTED CERTIFICATE is the certificate, and for what it is trusted beside it."""
    trust = bytes.fromhex("300c300a06082b06010505070301")  # serverAuth, as openssl x509 -addtrust writes it
    (piece,) = recognise(_pem("TRUSTED CERTIFICATE", DER + trust))
    assert (piece.kind, piece.content, piece.auxiliary, piece.problem) == (Kind.CERTIFICATE, DER, trust, None)


def test_certificates_inside_a_pkcs7_are_pieces() -> None:
    """In the order of the bundle, which need not be that of the chain."""
    (piece,) = recognise(pkcs7.serialize_certificates([CERTIFICATE, PKI.root.certificate], Encoding.PEM))
    assert {inner.content for inner in piece.inside} == {DER, PKI.root.certificate.public_bytes(Encoding.DER)}
    assert {certificate.subject for certificate in certificates_in(piece.content, source="x")} == {
        CERTIFICATE.subject,
        PKI.root.certificate.subject,
    }


def _pem(label: str, content: bytes) -> bytes:
    return f"-----BEGIN {label}-----\n".encode() + base64.encodebytes(content) + f"-----END {label}-----\n".encode()


@pytest.mark.parametrize(
    ("content", "kind", "problem"),
    [
        (b"", Kind.UNKNOWN, "the file is empty"),
        (b" \r\n\t", Kind.UNKNOWN, "nothing but blanks"),
        (b"server { listen 443 ssl; }\n", Kind.UNKNOWN, "text without any PEM block"),
        (b"\x7fELF\x00\x00", Kind.UNKNOWN, "binary content"),
        (b"\xfe\xed\xfe\xed\x00\x00", Kind.UNKNOWN, "Java keystore"),
        (PEM[:400], Kind.UNKNOWN, "does not end with -----END CERTIFICATE-----"),
        (PEM.replace(b"END CERTIFICATE", b"END X509 CRL"), Kind.UNKNOWN, "does not end with"),
        (PEM.replace(b"MII", b"M!I", 1), Kind.UNKNOWN, "is not base64"),
        (DER[:300], Kind.UNKNOWN, "announced, 296 there"),
        (b"\x30\x03\x02\x01\x05", Kind.UNKNOWN, "none of those known"),
        (_pem("CERTIFICATE", SAMPLES["csr-der"][0]), Kind.CSR, "the label says CERTIFICATE, the content is a cert"),
        (_pem("CERTIFICATE", DER[:300]), Kind.UNKNOWN, "the content is nothing readable"),
        (_pem("CERTIFICATES", DER), Kind.CERTIFICATE, "which openssl and nginx do not know"),
        (_pem("OPENSSH PRIVATE KEY", b"openssh-key-v1\0"), Kind.UNKNOWN, "OpenSSH private key"),
        (_pem("NONSENSE", b"\x05\x00"), Kind.UNKNOWN, "unknown PEM block 'NONSENSE'"),
        (base64.b64encode(DER), Kind.CERTIFICATE, "without its BEGIN and END lines"),
        (PEM.decode().encode("utf-16"), Kind.CERTIFICATE, "UTF-16"),
    ],
)
def test_what_is_wrong_is_said(content: bytes, kind: Kind, problem: str) -> None:
    """One sentence, and what can be read is read all the same."""
    (piece,) = recognise(content)
    assert piece.kind is kind
    assert problem in str(piece.problem)


def test_der_written_one_after_the_other() -> None:
    """``cat a.der b.der`` gives both; what is cut short at the end is told after them."""
    assert [piece.kind for piece in recognise(DER + SAMPLES["csr-der"][0])] == [Kind.CERTIFICATE, Kind.CSR]
    assert [piece.kind for piece in recognise(DER + DER[:9])] == [Kind.CERTIFICATE, Kind.UNKNOWN]
    assert [piece.problem for piece in recognise(DER + b"\r\n")] == [None]


def test_a_pkcs12_of_indefinite_length() -> None:
    """NSS writes BER; it is recognised although it is no DER."""
    (piece,) = recognise(bytes.fromhex("3080020103308006092a864886f70d010701a080248004"))
    assert piece.kind is Kind.PKCS12


def test_secrets_stay_out_of_the_repr() -> None:
    """Neither a key nor its base64 is shown when a piece lands in a message."""
    (piece,) = recognise(SAMPLES["pkcs8-pem"][0])
    assert "content" not in repr(piece)


@pytest.mark.parametrize("reader", [certificates_in, crls_in])
def test_a_file_without_what_is_needed_says_what_it_is(reader: object) -> None:
    """The error names the file and what it holds instead."""
    with pytest.raises(InputError, match=r"in key\.pem: it is a private key"):
        reader(SAMPLES["pkcs8-pem"][0], source="key.pem")  # type: ignore[operator] # both are functions


def test_a_certificate_that_cannot_be_read_is_an_error_with_its_line() -> None:
    """Well-formed on the outside, nonsense inside: a version that X.509 does not have."""
    broken = DER.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x09", 1)
    with pytest.raises(InputError, match=r"x\.pem, line 1"):
        certificates_in(_pem("CERTIFICATE", broken), source="x.pem")


def test_all_crls_are_found() -> None:
    """Several lists in one file, as nginx wants them."""
    assert len(crls_in(SAMPLES["crl-pem"][0] * 2, source="x")) == 2


@settings(max_examples=300)
@given(
    st.sampled_from(sorted(SAMPLES)),
    st.lists(st.tuples(st.integers(0, 3000), st.binary(max_size=4)), max_size=6),
    st.integers(0, 4000),
)
def test_no_mutation_makes_it_fail(name: str, edits: list[tuple[int, bytes]], length: int) -> None:
    """Whatever is overwritten or cut off, pieces come out, and an unknown one says why."""
    content = bytearray(SAMPLES[name][0])
    for position, replacement in edits:
        content[position : position + len(replacement)] = replacement
    pieces = recognise(bytes(content[:length]))
    assert pieces
    assert all(piece.problem for piece in pieces if piece.kind is Kind.UNKNOWN)


def test_many_beginnings_without_an_end_take_no_quadratic_time() -> None:
    """A megabyte of BEGIN lines is one pass; more things than anybody puts into a file are not all kept."""
    pieces = recognise(b"-----BEGIN X-----\n" * 60_000)
    assert len(pieces) == 60_000
