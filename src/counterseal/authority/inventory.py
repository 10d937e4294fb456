"""What the certificates of an inventory are asked for by, the same from the command line and over the API.

For a person a certificate past its end is expired; in the store it stays valid, because no row changes by time alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.moments import epoch, moment, show_moment
from counterseal.pki.profile import UNLISTED
from counterseal.store.records import Query, Status

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from counterseal.store.records import CARecord, CertificateRecord

EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which certificates.

    ``status`` is one of ``Status`` or ``expired``; ``expiring`` means valid ones that end within this time.
    """

    status: str | None = None
    expiring: timedelta | None = None
    profile: str | None = None
    issuer: str | None = None
    name: str | None = None
    probes: bool = False
    limit: int = 50
    after: str | None = None

    def query(self, now: datetime) -> Query:
        """Return the question to the store."""
        return Query(
            status=self._stored(),
            profile=self.profile,
            without_profiles=() if self.probes or self.profile in UNLISTED else UNLISTED,
            name=self.name,
            issuer=self.issuer,
            expires_before=self._end(now),
            include_expired=self.expiring is None and self.status != Status.VALID,
            at=epoch(now),
            limit=self.limit,
            after=self.after,
        )

    def _stored(self) -> Status | None:
        if self.status == EXPIRED:
            return Status.VALID
        return Status(self.status) if self.status else Status.VALID if self.expiring is not None else None

    def _end(self, now: datetime) -> int | None:
        if self.status == EXPIRED:
            return epoch(now)
        return epoch(now + self.expiring) if self.expiring is not None else None


def status_of(record: CertificateRecord, now: datetime) -> str:
    """Return the status a person wants to hear; the last second of a certificate still counts (RFC 5280 4.1.2.5)."""
    return EXPIRED if record.status is Status.VALID and record.not_after < epoch(now) else str(record.status)


def show_state(record: CARecord) -> str:
    """Return in words how a CA stands: ``active``, ``retired for clients-2``, ``revoked 2026-11-27 10:00 UTC, ...``."""
    if record.revoked_at is not None:
        succeeded = f", {record.successor} in its place" if record.successor else ""
        return f"revoked {show_moment(moment(record.revoked_at))}, {record.revocation_reason}{succeeded}"
    return record.state if record.successor is None else f"retired for {record.successor}"
