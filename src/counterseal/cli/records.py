"""Inventory rows as data and as text, the same in every command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from counterseal.authority.find import show_serial
from counterseal.moments import moment
from counterseal.store.records import Status

if TYPE_CHECKING:
    from datetime import datetime

    from counterseal.store.records import CertificateRecord


def status_of(record: CertificateRecord, now: datetime) -> str:
    """Return the status a person wants to hear: a valid certificate past its end is expired."""
    return "expired" if record.status is Status.VALID and moment(record.not_after) <= now else str(record.status)


def document(record: CertificateRecord) -> dict[str, Any]:
    """Return a record as JSON-ready data; the serial number in hex, times in ISO 8601 UTC."""
    return {
        "serial_number": show_serial(record.serial_number),
        "name": record.name,
        "subject": record.subject,
        "names": list(record.names),
        "profile": record.profile,
        "group": record.group,
        "issuer": record.issuer,
        "status": str(record.status),
        "not_before": moment(record.not_before).isoformat(),
        "not_after": moment(record.not_after).isoformat(),
        "created_at": moment(record.created_at).isoformat(),
        "created_by": record.created_by,
        "revoked_at": moment(record.revoked_at).isoformat() if record.revoked_at else None,
        "revocation_reason": record.revocation_reason,
    }
