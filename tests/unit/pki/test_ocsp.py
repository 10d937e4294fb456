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
from counterseal.pki import der, der_reader
from counterseal.pki.ocsp import MAX_CERTIFICATES, MAX_REQUEST_BYTES, issuer_ids, read_request
from counterseal.pki.pem import encode_private_key
from pki_fixtures import make_ca, make_client, new_key

if TYPE_CHECKING:
    from pathlib import Path

CA = make_ca("OCSP CA")
ALICE_MADE = make_client(CA, "alice")
ALICE, ALICE_KEY = ALICE_MADE.certificate, ALICE_MADE.private_key


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
    (asked,) = read_request(builder.build().public_bytes(Encoding.DER))
    assert asked.issuer in issuer_ids(ca.certificate)
    assert asked.issuer not in issuer_ids(CA.certificate)
    assert (asked.serial_number, asked.nonce) == (bob.serial_number, None)


def many(directory: Path, count: int, *more: str) -> bytes:
    """Return openssl's request about serial numbers from 1 on."""
    (directory / "ca.pem").write_bytes(CA.certificate.public_bytes(Encoding.PEM))
    serials = [word for number in range(1, count + 1) for word in ("-serial", str(number))]
    command = ["openssl", "ocsp", "-issuer", "ca.pem", *serials, *more, "-reqout", "many.der"]
    subprocess.run(command, check=True, capture_output=True, cwd=directory, timeout=30)
    return (directory / "many.der").read_bytes()


def test_several_certificates_in_one_request(tmp_path: Path) -> None:
    """As openssl asks for them, with one nonce for all and with a signature, which nobody looks at."""
    (tmp_path / "key.pem").write_bytes(encode_private_key(ALICE_KEY))
    (tmp_path / "alice.pem").write_bytes(ALICE.public_bytes(Encoding.PEM))
    asked = read_request(many(tmp_path, 3, "-signer", "alice.pem", "-signkey", "key.pem"))
    assert [one.serial_number for one in asked] == [1, 2, 3]
    assert {one.issuer for one in asked} <= issuer_ids(CA.certificate)
    assert len({one.nonce for one in asked}) == 1
    assert len(asked[0].nonce or b"") >= 16


def test_too_many_certificates_in_one_request(tmp_path: Path) -> None:
    """Each is a look into the store."""
    assert len(read_request(many(tmp_path, MAX_CERTIFICATES))) == MAX_CERTIFICATES
    with pytest.raises(InputError, match="21 certificates, not 1 to 20"):
        read_request(many(tmp_path, MAX_CERTIFICATES + 1))
    none = der.sequence(der.sequence(der.sequence()))
    with pytest.raises(InputError, match="0 certificates"):
        read_request(none)


@pytest.mark.parametrize("content", [b"", request(SHA224()), bytes(MAX_REQUEST_BYTES + 1)], ids=["", "sha224", "large"])
def test_what_cannot_be_answered(content: bytes) -> None:
    """Refused before anything is looked up."""
    with pytest.raises(InputError, match="not an OCSP request"):
        read_request(content)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("place", ["request", "certificate"])
def test_what_is_critical_must_be_understood(place: str, times: int) -> None:
    """RFC 6960 4.4: of what is not critical nothing has to be; a nonce may be."""
    (requests,) = der_reader.read(request(SHA256())).children()[0].children()
    (one,) = requests.children()

    def asking(dotted: str, *, critical: bool) -> bytes:
        extension = der.extension(dotted, der.octet_string(bytes(16)), critical=critical)
        more = der.explicit(0, der.sequence(extension)) if place == "certificate" else b""
        after = der.explicit(2, der.sequence(extension)) if place == "request" else b""
        return der.sequence(der.sequence(der.sequence(der.sequence(one.content, more) * times), after))

    assert len(read_request(asking("1.3.6.1.5.5.7.48.1.2", critical=True))) == times
    assert len(read_request(asking("1.3.6.1.5.5.7.48.1.7", critical=False))) == times
    with pytest.raises(InputError, match="critical"):
        read_request(asking("1.3.6.1.5.5.7.48.1.7", critical=True))


def doubled(content: bytes) -> bytes:
    """Return a request with its certificate twice."""
    (requests,) = der_reader.read(content).children()[0].children()
    return der.sequence(der.sequence(der.sequence(requests.content * 2)))


@pytest.mark.parametrize("content", [request(SHA256()), doubled(request(SHA256()))], ids=["one", "two"])
@given(at=st.integers(0, len(doubled(request(SHA256()))) - 1), octet=st.integers(0, 255), cut=st.integers(0, 20))
def test_any_damage_is_a_question_or_a_refusal(content: bytes, at: int, octet: int, cut: int) -> None:
    """Never another exception."""
    damaged = bytearray(content)
    damaged[at % len(content)] = octet
    try:
        read_request(bytes(damaged[: len(content) - cut]))
    except InputError as error:
        refused = error
    else:
        return
    assert refused.code == "ocsp.request"
