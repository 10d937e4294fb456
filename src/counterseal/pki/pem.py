"""Writing certificates and private keys as PEM (RFC 7468); ``pem_reader`` reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes


def encode_certificates(*certificates: x509.Certificate) -> bytes:
    """Return one ``CERTIFICATE`` block after the other, each with its final newline."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def encode_private_key(key: PrivateKeyTypes) -> bytes:
    """Return an unencrypted PKCS#8 ``PRIVATE KEY`` block (RFC 5958); only for a file of mode 0600."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
