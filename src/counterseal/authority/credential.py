"""From an issued certificate to what the bundles are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.signing import Issued
from counterseal.bundles.credential import Credential
from counterseal.errors import NotFoundError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from counterseal.authority.parts import Authority
    from counterseal.store.records import CertificateRecord


def credential_of(issued: Issued, private_key: PrivateKeyTypes | None) -> Credential:
    """Return the issued certificate with its chain, trust anchor and key, as the bundles take it."""
    return Credential(
        name=issued.record.name,
        certificate=issued.certificate,
        chain=issued.issuer.chain,
        trust_anchor=issued.issuer.trust_anchor,
        private_key=private_key,
    )


def issued_before(authority: Authority, record: CertificateRecord) -> Issued:
    """Return a certificate of the inventory as when it was issued; raises NotFoundError ``certificate.not_kept``."""
    if record.certificate is None:
        raise NotFoundError("certificate.not_kept", f"only the serial number is known: {record.name}")
    return Issued(record, x509.load_der_x509_certificate(record.certificate), authority.issuer(record.issuer))
