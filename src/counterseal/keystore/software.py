"""Keys in this process's memory: making them, and signing with them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa

from counterseal.errors import KeyAccessError
from counterseal.pki.keys import show_key, signature_algorithm, signature_hash

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPrivateKeyTypes,
        CertificateIssuerPublicKeyTypes,
    )

    from counterseal.pki.keys import KeySpec

_CURVES = {"p-256": ec.SECP256R1(), "p-384": ec.SECP384R1(), "p-521": ec.SECP521R1()}


def generate_key(spec: KeySpec) -> CertificateIssuerPrivateKeyTypes:
    """Return a new private key of this kind, from the cryptography library's random generator."""
    if spec.algorithm == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=spec.bits or 2048)
    if spec.algorithm == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if spec.algorithm == "ed448":
        return ed448.Ed448PrivateKey.generate()
    return ec.generate_private_key(_CURVES[spec.algorithm])


class SoftwareSigner:
    """A private key in memory that signs; its repr shows the kind of key only."""

    def __init__(self, private_key: CertificateIssuerPrivateKeyTypes) -> None:
        self._private_key = private_key
        self._signature_algorithm = signature_algorithm(private_key.public_key())
        self._sign = _signing(private_key)

    def __repr__(self) -> str:
        return f"SoftwareSigner({show_key(self.public_key)})"

    @property
    def public_key(self) -> CertificateIssuerPublicKeyTypes:
        """The public half."""
        return self._private_key.public_key()

    @property
    def signature_algorithm(self) -> bytes:
        """The DER AlgorithmIdentifier of the signatures made here."""
        return self._signature_algorithm

    @property
    def is_instant(self) -> bool:
        """Whether a signature takes 50 us, less than a hand-over to a thread: P-256 and Ed25519, not the others."""
        key = self._private_key
        return isinstance(key, ed25519.Ed25519PrivateKey) or (
            isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)
        )

    def sign(self, message: bytes) -> bytes:
        """Return the signature of ``message``: ECDSA with the curve's SHA-2, RSA PKCS#1 v1.5 with SHA-256, or EdDSA."""
        return self._sign(message)


def _signing(key: CertificateIssuerPrivateKeyTypes) -> Callable[[bytes], bytes]:
    """Return what signs with ``key``: which algorithm it is, is asked once and not for each signature."""
    digest = signature_hash(key.public_key())
    if isinstance(key, ec.EllipticCurvePrivateKey) and digest:
        return partial(key.sign, signature_algorithm=ec.ECDSA(digest))
    if isinstance(key, rsa.RSAPrivateKey) and digest:
        return partial(key.sign, padding=padding.PKCS1v15(), algorithm=digest)
    if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        return key.sign
    raise KeyAccessError("key.unsuitable", f"cannot sign with this kind of key: {show_key(key.public_key())}")
