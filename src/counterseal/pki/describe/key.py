"""What a key is: its kind, its strength, and the digest by which two files are seen to hold the same one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from counterseal.pki.keys import key_hash, key_spec_of, show_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

_RSA_STRENGTH = ((1024, 80), (2048, 112), (3072, 128), (7680, 192), (15360, 256))  # NIST SP 800-57 part 1, table 2
_STRONGEST = 256  # the table ends there
_EDWARDS_STRENGTH = {"ed25519": 128, "ed448": 224}


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """The public half of a key: ``strength`` in bits as NIST counts them (None when unknown).

    ``spki_sha256`` is the SHA-256 of its SubjectPublicKeyInfo, in hex: certificate, CSR and key that belong together
    have the same.
    """

    kind: str
    strength: int | None
    spki_sha256: str | None


def describe_key(public_key: PublicKeyTypes) -> KeyFacts:
    """Return what a public key is."""
    return KeyFacts(show_key(public_key), strength_of(public_key), key_hash(public_key).hex())


def describe_key_of(read: Callable[[], PublicKeyTypes]) -> KeyFacts:
    """Return what the key is that ``read`` gives; one that the library cannot read has a kind that says why."""
    try:
        return describe_key(read())
    except (ValueError, UnsupportedAlgorithm) as error:
        return KeyFacts(f"unreadable: {error}", None, None)


def strength_of(public_key: PublicKeyTypes) -> int | None:
    """Return the bits of work that breaking the key takes by classical means, or None when that is not known."""
    if isinstance(public_key, rsa.RSAPublicKey):
        fitting = [strength for size, strength in _RSA_STRENGTH if public_key.key_size >= size]
        return max(fitting, default=0)
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return min(public_key.curve.key_size // 2, _STRONGEST)
    spec = key_spec_of(public_key)
    return _EDWARDS_STRENGTH.get(spec.algorithm) if spec else None


def load_public_key(content: bytes) -> PublicKeyTypes | None:
    """Return the key in a DER SubjectPublicKeyInfo or RSAPublicKey, or None when it cannot be read."""
    try:
        return load_der_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        return None
