"""A CA as data, the same from the command line and the API; its certificate is read for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography import x509

from counterseal.moments import isoformat
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from counterseal.store.records import CARecord, CRLTimes


def ca_to_json(record: CARecord, crl: CRLTimes | None) -> dict[str, Any]:
    """Return a CA with the number and the end of its newest list."""
    certificate = x509.load_der_x509_certificate(record.certificate)
    return {
        "name": record.name,
        "purpose": record.purpose,
        "state": record.state,
        "successor": record.successor,
        "revoked_at": isoformat(record.revoked_at) if record.revoked_at else None,
        "revocation_reason": record.revocation_reason,
        "parent": record.parent,
        "subject": show_subject(certificate.subject),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "crl_number": crl.number if crl else None,
        "crl_next_update": isoformat(crl.next_update) if crl else None,
    }
