"""The proof of possession for every kind of key, against another implementation of JWS; and what is no proof."""

from __future__ import annotations

import base64
import json
import warnings
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import import_key
from joserfc.jws import JWSRegistry, deserialize_compact, serialize_compact

from counterseal.errors import InputError
from counterseal.pki.possession import TYPE, prove_possession, read_possession
from pki_fixtures import Issued, PrivateKey, make_client, pki

CSR, AT = b"a request", 1_800_000_000
KEYS: dict[str, Any] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


def holder(key: PrivateKey) -> Issued:
    """Return a certificate for the key."""
    return make_client(pki().client_ca, "holder", key=key)


def encode(octets: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def by_joserfc(issued: Issued, algorithm: str, **header: object) -> str:
    """Return a proof that the other implementation has made."""
    x5c = base64.b64encode(issued.certificate.public_bytes(Encoding.DER)).decode()
    said = json.dumps({"iat": AT, "csr": encode(sha256(CSR).digest())}).encode()
    pem = issued.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    head = {"alg": algorithm, "typ": TYPE, "x5c": [x5c], **header}
    with warnings.catch_warnings(action="ignore"):
        return serialize_compact(head, said, import_key(pem), registry=registry_of(algorithm))


def registry_of(algorithm: str) -> JWSRegistry:
    """Let the other implementation take a header with a certificate in it."""
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = 16_384
    return registry


@pytest.mark.parametrize("algorithm", KEYS)
def test_both_understand_each_other(algorithm: str) -> None:
    """What one signs, the other verifies."""
    issued = holder(KEYS[algorithm]())
    own = prove_possession(issued.private_key, issued.certificate, CSR, at=AT)
    pem = issued.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with warnings.catch_warnings(action="ignore"):
        there = deserialize_compact(own, import_key(pem), registry=registry_of(algorithm))
    assert there.headers()["alg"] == algorithm
    for text in (own, by_joserfc(issued, algorithm)):
        read = read_possession(text)
        assert (read.certificate, read.at) == (issued.certificate.public_bytes(Encoding.DER), AT)
        assert read.csr_hash == sha256(CSR).digest()


def test_what_is_no_proof() -> None:
    """A signature for another use, by another key, changed, or none at all."""
    issued, other = pki().client, pki().lone_client
    good = prove_possession(issued.private_key, issued.certificate, CSR, at=AT)
    head, said, signature = good.split(".")
    unsigned = encode(json.dumps({**json.loads(base64.b64decode(head + "==")), "alg": "none"}).encode())
    bad = {
        "another use": (by_joserfc(issued, "ES256", typ="JWT"), "malformed"),
        "another key": (prove_possession(other.private_key, issued.certificate, CSR, at=AT), "signature"),
        "another time": (f"{head}.{encode(json.dumps({'iat': AT + 1, 'csr': ''}).encode())}.{signature}", "signature"),
        "alg none": (f"{unsigned}.{said}.", "malformed"),
        "a shorter signature": (good[:-4], "signature"),
        "a longer signature": (f"{good}AAAA", "signature"),
        "padded": (f"{good}==", "malformed"),
        "in two parts": (f"{head}.{said}", "malformed"),
        "no JSON": (f"x.{said}.{signature}", "malformed"),
        "a list": (f"{encode(b'[]')}.{said}.{signature}", "malformed"),
        "deep": (f"{encode(b'[' * 10_000)}.{said}.{signature}", "malformed"),
        "letters": (f"{head}.{said}.é", "malformed"),
    }
    for why, (text, code) in bad.items():
        with pytest.raises(InputError) as caught:
            read_possession(text)
        assert (why, caught.value.code) == (why, f"possession.{code}")
