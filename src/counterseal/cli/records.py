"""Inventory rows as a person reads them, the same in every command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.moments import moment
from counterseal.store.records import Status

if TYPE_CHECKING:
    from datetime import datetime

    from counterseal.store.records import CertificateRecord

EXPIRED = "expired"


def status_of(record: CertificateRecord, now: datetime) -> str:
    """Return the status a person wants to hear: a valid certificate past its end is expired."""
    return EXPIRED if record.status is Status.VALID and moment(record.not_after) <= now else str(record.status)
