"""Replace a certificate by one that says the same: with the same key (renew), or with a new one (rekey)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.errors import NotFoundError
from counterseal.moments import moment
from counterseal.pki.names import names_in
from counterseal.pki.policy import Asked

if TYPE_CHECKING:
    from datetime import timedelta

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from counterseal.authority.parts import Authority
    from counterseal.store.records import CertificateRecord


def ask_again(
    authority: Authority,
    record: CertificateRecord,
    *,
    public_key: CertificatePublicKeyTypes | None = None,
    lifetime: timedelta | None = None,
) -> Asked:
    """Ask for what the certificate of ``record`` says, for its own key or for ``public_key``.

    It lives as long as the one before unless ``lifetime`` says otherwise. Raises NotFoundError
    ``certificate.not_kept`` when only the serial number is known here.
    """
    if record.certificate is None:
        raise NotFoundError(
            "certificate.not_kept",
            f"only the serial number of this certificate is known: {record.name}",
            hint="issue it anew: counterseal client, counterseal server, or counterseal sign",
        )
    certificate = x509.load_der_x509_certificate(record.certificate)
    return Asked(
        profile=authority.profile(record.profile),
        subject=certificate.subject,
        names=names_in(certificate.extensions),
        public_key=public_key or certificate.public_key(),
        lifetime=lifetime or moment(record.not_after) - moment(record.not_before),
    )
