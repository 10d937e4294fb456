"""Proof that whoever sends a CSR holds the key of an older certificate, where TLS cannot tell: a JWS (RFC 7515).

TLS takes a client's certificate only when it is for clients, and a proxy only until it expires; so a server's, or one
that is over, could not renew itself. Here its key signs the CSR's hash and the time: whoever sees or repeats the proof
gains nothing but a certificate for the key of the CSR. Compact JWS, header ``alg``, ``typ`` and ``x5c`` (the
certificate), payload ``iat`` (seconds) and ``csr`` (SHA-256 of the DER, base64url); RFC 7518 3, RFC 8037 3.1.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from counterseal.errors import InputError
from counterseal.pki.keys import key_spec_of, show_key
from counterseal.pki.reading import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPrivateKeyTypes,
        CertificatePublicKeyTypes,
    )

TYPE = "counterseal-renewal"
"""What tells the proof from every other use of JWS."""

MAX_BYTES = 16 * 1024
_ALGORITHMS = {
    "p-256": "ES256",
    "p-384": "ES384",
    "p-521": "ES512",
    "rsa": "RS256",
    "ed25519": "EdDSA",
    "ed448": "EdDSA",
}
_HASHES = {"ES256": hashes.SHA256(), "ES384": hashes.SHA384(), "ES512": hashes.SHA512()}


@dataclass(frozen=True, slots=True)
class Possession:
    """A verified proof: by the key of ``certificate`` (DER), at ``at``, for the CSR whose DER has this SHA-256."""

    certificate: bytes
    at: int
    csr_hash: bytes


def prove_possession(
    key: CertificateIssuerPrivateKeyTypes, certificate: x509.Certificate, csr: bytes, *, at: int
) -> str:
    """Return the proof for a CSR (DER) at a moment (seconds since the epoch); raises InputError ``key.unsuitable``."""
    head = {
        "alg": _algorithm(key.public_key()),
        "typ": TYPE,
        "x5c": [base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()],
    }
    signed = f"{_encode_json(head)}.{_encode_json({'iat': at, 'csr': _encode(sha256(csr).digest())})}"
    return f"{signed}.{_encode(_sign(key, signed.encode()))}"


def read_possession(text: str) -> Possession:
    """Return what a proof says, its signature verified; raises InputError ``possession.malformed``, ``.signature``.

    Whether the certificate counts, the time is near and the CSR is the one at hand is the caller's to ask.
    """
    try:
        head, payload, signature = text[: MAX_BYTES + 1].split(".")
        header, said = json.loads(_decode(head)), json.loads(_decode(payload))
        (encoded,) = header["x5c"]
        content = base64.b64decode(encoded, validate=True)
        public_key = x509.load_der_x509_certificate(content).public_key()
        algorithm, kind, at, csr_hash = header["alg"], header["typ"], said["iat"], _decode(said["csr"])
        octets = _decode(signature)
    except (*UNREADABLE, UnsupportedAlgorithm, KeyError, AttributeError, RecursionError) as error:
        raise InputError("possession.malformed", "not a proof of possession: it cannot be read") from error
    if kind != TYPE or "crit" in header or type(at) is not int or algorithm != _algorithm(public_key):
        raise InputError("possession.malformed", "not a proof of possession: its header is for something else")
    if not _verifies(public_key, octets, f"{head}.{payload}".encode()):
        raise InputError("possession.signature", "the proof is not signed with the key of its certificate")
    return Possession(content, at, csr_hash)


def _algorithm(public_key: CertificatePublicKeyTypes) -> str:
    spec = key_spec_of(public_key)
    if spec is None:
        raise InputError("key.unsuitable", f"this kind of key cannot sign a proof: {show_key(public_key)}")
    return _ALGORITHMS[spec.algorithm]


def _sign(key: CertificateIssuerPrivateKeyTypes, message: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(key, ec.EllipticCurvePrivateKey):
        size = (key.curve.key_size + 7) // 8
        numbers = decode_dss_signature(key.sign(message, ec.ECDSA(_HASHES[_algorithm(key.public_key())])))
        return b"".join(number.to_bytes(size, "big") for number in numbers)
    assert isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)  # noqa: S101 - no other has an algorithm
    return key.sign(message)


def _verifies(public_key: CertificatePublicKeyTypes, signature: bytes, message: bytes) -> bool:
    try:
        if isinstance(public_key, rsa.RSAPublicKey):
            public_key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(public_key, ec.EllipticCurvePublicKey):
            size = (public_key.curve.key_size + 7) // 8
            if len(signature) != 2 * size:
                return False
            numbers = (int.from_bytes(half, "big") for half in (signature[:size], signature[size:]))
            public_key.verify(encode_dss_signature(*numbers), message, ec.ECDSA(_HASHES[_algorithm(public_key)]))
        elif isinstance(public_key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            public_key.verify(signature, message)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _encode_json(document: Mapping[str, object]) -> str:
    return _encode(json.dumps(document, separators=(",", ":")).encode())


def _encode(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def _decode(text: str) -> bytes:
    """Return the octets of base64url without padding; raises InputError, ValueError."""
    if "=" in text or "+" in text or "/" in text:
        raise InputError("possession.malformed", "not base64url without padding")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
