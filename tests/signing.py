"""CA keys and certificates for tests, made by the cryptography library alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import NameOID

from counterseal.pki import der

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes

CAKey = ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class KeySigner:
    """A signer around a key in memory: RSA and ECDSA with SHA-256, Ed25519."""

    key: CAKey

    @property
    def public_key(self) -> CertificateIssuerPublicKeyTypes:
        """The public half."""
        return self.key.public_key()

    @property
    def signature_algorithm(self) -> bytes:
        """The DER AlgorithmIdentifier."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return der.sequence(der.object_identifier("1.2.840.113549.1.1.11"), der.NULL)
        is_ec = isinstance(self.key, ec.EllipticCurvePrivateKey)
        return der.sequence(der.object_identifier("1.2.840.10045.4.3.2" if is_ec else "1.3.101.112"))

    def sign(self, message: bytes) -> bytes:
        """Return the signature."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(message, ec.ECDSA(hashes.SHA256()))
        return self.key.sign(message)


def ca_certificate(
    key: CAKey,
    *,
    name: x509.Name | None = None,
    crl_sign: bool | None = True,
    with_key_identifier: bool = True,
) -> x509.Certificate:
    """Return a self-signed CA certificate, valid from 2020 to 2120; ``crl_sign=None`` leaves the key usage out."""
    subject = name or x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test Root")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(0x1234567890ABCDEF)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    if with_key_identifier:
        builder = builder.add_extension(x509.SubjectKeyIdentifier(b"any identifier"), critical=False)
    if crl_sign is not None:
        usage = x509.KeyUsage(False, False, False, False, False, True, crl_sign, False, False)
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
