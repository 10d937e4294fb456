"""What a private key does for the CA: it signs bytes, and says with which algorithm.

The room that keeps private keys implements this protocol for files, for an HSM and for a KMS; nothing else in
Counterseal ever sees more of a CA key than this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes


class Signer(Protocol):
    """A key that signs."""

    @property
    def public_key(self) -> CertificateIssuerPublicKeyTypes:
        """The public half."""

    @property
    def signature_algorithm(self) -> bytes:
        """The DER AlgorithmIdentifier that goes into what is signed (RFC 5280 4.1.1.2)."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature of ``message`` as it stands in a certificate's BIT STRING; raises KeyAccessError."""
