"""What is read of a request before anything is decided: credentials, base64, and names that must be the same."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from counterseal.errors import InputError, RefusedError
from counterseal.pki.csr import CSR
from counterseal.pki.possession import prove_possession, read_possession
from counterseal.protocols.est.media import read_base64
from counterseal.protocols.est.requests import (
    DECRYPT_KEY,
    PROOF_SECONDS,
    possession_of,
    require_plain_key,
    require_same_names,
    secret_of,
)
from pki_fixtures import make_server, pki

AT = 1_800_000_000


def basic(text: bytes) -> str:
    """Return the header of HTTP Basic."""
    return "Basic " + base64.b64encode(text).decode()


@pytest.mark.parametrize(
    ("authorization", "secret"),
    [
        (None, None),
        ("Bearer cst_x", "cst_x"),
        ("bearer  cst_x ", "cst_x"),
        (basic(b"ann:cst_x"), "cst_x"),
        (basic(b":cst_x"), "cst_x"),
        (basic("änn:a:b".encode()), "a:b"),
        (basic(b"no colon"), ""),
    ],
)
def test_the_secret_of_a_header(authorization: str | None, secret: str | None) -> None:
    """Whatever the user; a colon belongs to the password (RFC 7617 2)."""
    assert secret_of(authorization) == secret


@pytest.mark.parametrize("away", [-PROOF_SECONDS, 0, PROOF_SECONDS])
def test_a_proof_is_taken_while_it_is_fresh(away: int) -> None:
    """By a clock that is a little fast or slow; then no longer."""
    issued = pki().client
    header = "Bearer " + prove_possession(issued.private_key, issued.certificate, b"csr", at=AT)
    proof = possession_of(header, AT + away)
    assert proof is not None
    assert proof.certificate == issued.certificate.public_bytes(Encoding.DER)
    if away:
        with pytest.raises(InputError) as caught:
            possession_of(header, AT + away + (1 if away > 0 else -1))
        assert caught.value.code == "possession.time"


@pytest.mark.parametrize("authorization", [None, "Bearer cst_x", basic(b"ann:a.b.c")])
def test_what_is_no_proof_is_a_secret(authorization: str | None) -> None:
    """A token has no dot, a password may have some."""
    assert possession_of(authorization, AT) is None


@pytest.mark.parametrize("oid", sorted(DECRYPT_KEY))
def test_a_key_is_not_sent_with_less_protection_than_wished(oid: str) -> None:
    """RFC 7030 4.4.1: DecryptKeyIdentifier asks for a key encrypted once more."""
    csr = CSR(x509.Name([]), (), pki().client.certificate.public_key(), attributes=frozenset({oid, "1.2.3"}))
    with pytest.raises(InputError):
        require_plain_key(csr)
    require_plain_key(replace(csr, attributes=frozenset({"1.2.3"})))


@given(st.text())
def test_any_header_is_read_or_refused(text: str) -> None:
    """Never a fault of ours."""
    for read in (secret_of, read_possession, lambda text: secret_of(f"Basic {text}")):
        try:
            read(text)
        except InputError:
            continue


@given(st.binary())
def test_base64_with_blanks_is_read(octets: bytes) -> None:
    """RFC 8951 3.2.1: blanks and line breaks are tolerated, other letters are not."""
    lines = base64.encodebytes(octets).replace(b"\n", b" \t\r\n")
    if octets:
        assert read_base64(lines) == octets
    with pytest.raises(InputError):
        read_base64(lines + b"!")


def test_names_are_compared_as_values() -> None:
    """Their order does not count, every value does (RFC 7030 4.2.2)."""
    certificate = make_server(pki().server_ca, "a.test", addresses=["10.0.0.1"]).certificate
    names = tuple(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    same = CSR(certificate.subject, names[::-1], certificate.public_key())
    require_same_names(same, certificate)
    other = x509.Name([*certificate.subject, x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "admins")])
    wrong = (
        CSR(other, names, certificate.public_key()),
        CSR(certificate.subject, (*names, x509.DNSName("c.test")), certificate.public_key()),
        CSR(certificate.subject, names[1:], certificate.public_key()),
    )
    for csr in wrong:
        with pytest.raises(RefusedError):
            require_same_names(csr, certificate)
