"""Requests of any kind become a question or an InputError; how they name a CA is what the library computes."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.hashes import SHA1, SHA224, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

from counterseal.errors import InputError
from counterseal.pki.ocsp import MAX_REQUEST_BYTES, issuer_ids, read_request
from pki_fixtures import make_ca, make_client, new_key

if TYPE_CHECKING:
    from pathlib import Path

CA = make_ca("OCSP CA")
ALICE = make_client(CA, "alice").certificate


def request(algorithm: HashAlgorithm) -> bytes:
    """Return the library's request about alice."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(ALICE, CA.certificate, algorithm)
    return builder.build().public_bytes(Encoding.DER)


@pytest.mark.parametrize("algorithm", [SHA1(), SHA256()], ids=lambda one: one.name)  # noqa: S303 - as clients ask
@pytest.mark.parametrize("kind", ["p-256", "p-521", "ed25519", "rsa-2048"])
def test_a_ca_is_recognised(kind: str, algorithm: HashAlgorithm) -> None:
    """Whatever key it has."""
    ca = make_ca("Another CA", key=new_key(kind))
    bob = make_client(ca, "bob").certificate
    builder = ocsp.OCSPRequestBuilder().add_certificate(bob, ca.certificate, algorithm)
    asked = read_request(builder.build().public_bytes(Encoding.DER))
    assert asked.issuer in issuer_ids(ca.certificate)
    assert asked.issuer not in issuer_ids(CA.certificate)
    assert (asked.serial_number, asked.nonce) == (bob.serial_number, None)


def test_two_certificates_in_one_request(tmp_path: Path) -> None:
    """As openssl asks them; RFC 5019 2.1.1 has clients ask about one."""
    (tmp_path / "ca.pem").write_bytes(CA.certificate.public_bytes(Encoding.PEM))
    command = ["openssl", "ocsp", "-issuer", "ca.pem", "-serial", "1", "-serial", "2", "-reqout", "two.der"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path, timeout=30)
    with pytest.raises(InputError, match="not an OCSP request"):
        read_request((tmp_path / "two.der").read_bytes())


@pytest.mark.parametrize("content", [b"", request(SHA224()), bytes(MAX_REQUEST_BYTES + 1)], ids=["", "sha224", "large"])
def test_what_cannot_be_answered(content: bytes) -> None:
    """Refused before anything is looked up."""
    with pytest.raises(InputError, match="not an OCSP request"):
        read_request(content)


@given(at=st.integers(0, len(request(SHA256())) - 1), octet=st.integers(0, 255), cut=st.integers(0, 20))
def test_any_damage_is_a_question_or_a_refusal(at: int, octet: int, cut: int) -> None:
    """Never another exception."""
    content = bytearray(request(SHA256()))
    content[at] = octet
    damaged = bytes(content[: len(content) - cut])
    try:
        read_request(damaged)
    except InputError as error:
        refused = error
    else:
        return
    assert refused.code == "ocsp.request"
