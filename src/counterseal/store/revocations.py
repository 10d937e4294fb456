"""Revoking, and the lists that CRLs and maps are made from.

Decides which change of status is possible: valid to revoked or held, held to revoked or back to valid, nothing else
(RFC 5280 5.3.1: only a hold is lifted). It is handed the encoded CRL entry and never looks inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.errors import StoreError
from counterseal.pki.shown import show_serial
from counterseal.store.changes import Changes
from counterseal.store.compromised_keys import add_compromised_keys
from counterseal.store.inventory import Inventory
from counterseal.store.records import CertificateRecord, Revocation, Status
from counterseal.store.rows import decode_serial, encode_serial, show_serials

if TYPE_CHECKING:
    from collections.abc import Iterator

HOLD = "certificate_hold"
LAST_CHANGE = (1 << 63) - 1

_HOLD = "select 1 from certificate where serial_number = ?"
_MARK = """
    update certificate set status = ?, revoked_at = ?, revocation_reason = ? where serial_number = ? and issuer = ?
"""
_INSERT = (
    "insert into revocation (issuer, serial_number, not_after, revoked_at, reason, crl_entry, change_number)"
    " values (?, ?, ?, ?, ?, ?, ?)"
)
_DELETE = "delete from revocation where issuer = ? and serial_number = ?"
_LAST = "select max(revoked_at) from revocation where issuer = ?"
_WHERE = "from revocation where issuer = ? and +not_after >= ? order by change_number, serial_number"
"""The plus keeps SQLite 3.46 from the index of the ends, where it would find nearly all, and have to sort it."""
_BETWEEN = """
    select crl_entry from revocation where issuer = ? and change_number > ? and change_number <= ? and +not_after >= ?
    order by change_number, serial_number
"""
_PROFILES = """
    select distinct c.profile from revocation r join certificate c
    on c.serial_number = r.serial_number and c.issuer = r.issuer
    where r.issuer = ? and (r.change_number > ? or r.revoked_at > ?)
"""
_ENDED = "select 1 from revocation where issuer = ? and not_after >= ? and not_after < ? limit 1"


class Revocations(Inventory, Changes):
    """The revoked and held certificates."""

    def hold(self, serial_number: int, *, issuer: str | None = None) -> CertificateRecord:
        """Return a certificate whose row nobody else changes until the transaction around this ends.

        Raises what ``certificate`` does.
        """
        self.rows(f"{_HOLD}{self.lock}", (encode_serial(serial_number),))
        return self.certificate(serial_number, issuer=issuer)

    def revoke(
        self, serial_number: int, *, at: int, reason: str, crl_entry: bytes, issuer: str | None = None
    ) -> CertificateRecord:
        """Revoke, or hold when ``reason`` is ``certificate_hold``; durable on return. Returns the changed record.

        ``crl_entry`` is the DER revokedCertificates entry (RFC 5280 5.1). Raises NotFoundError, and StoreError
        (``store.not_revocable``) when it is revoked already or only reserved.
        """
        status = Status.HELD if reason == HOLD else Status.REVOKED
        with self.transaction():
            record = self.hold(serial_number, issuer=issuer)
            if record.status is not Status.VALID and (record.status, status) != (Status.HELD, Status.REVOKED):
                raise _impossible("store.not_revocable", "revoked" if status is Status.REVOKED else "held", record)
            key = (record.issuer, encode_serial(serial_number))
            self.run(_MARK, (str(status), at, reason, key[1], key[0]))
            replaced = self.run(_DELETE, key) > 0
            change = self.next_change(record.issuer, removes=replaced)
            self.run(_INSERT, (*key, record.not_after, at, reason, crl_entry, change))
            changed = self.certificate(serial_number, issuer=record.issuer)
            add_compromised_keys(self, [changed])
            return changed

    def unrevoke(self, serial_number: int, *, issuer: str | None = None) -> CertificateRecord:
        """Lift a hold; durable on return. Raises NotFoundError, and StoreError (``store.not_held``) otherwise."""
        with self.transaction():
            record = self.hold(serial_number, issuer=issuer)
            if record.status is not Status.HELD:
                raise _impossible("store.not_held", "released", record)
            key = (record.issuer, encode_serial(serial_number))
            self.run(_MARK, (str(Status.VALID), None, None, key[1], key[0]))
            self.run(_DELETE, key)
            self.next_change(record.issuer, removes=True)
            return self.certificate(serial_number, issuer=record.issuer)

    def revoked(
        self, issuer: str, *, not_expired_at: int, after: int = -1, until: int = LAST_CHANGE
    ) -> Iterator[bytes]:
        """Yield the encoded CRL entries of the revoked and held certificates as they are read, in their order.

        The order is that of the changes, and of the serial numbers within one; those with a change from ``after``
        (left out) to ``until`` are given. Those whose ``not_after`` is before ``not_expired_at`` are left out. RFC 5280
        3.3 wants an entry on one CRL issued after the expiry: pass a time that much earlier than now.
        """
        return self.column(_BETWEEN, (issuer, after, until, not_expired_at))

    def any_ended(self, issuer: str, *, since: int, before: int) -> bool:
        """Whether a revoked or held certificate of the issuer has its ``not_after`` in this time."""
        return self.row(_ENDED, (issuer, since, before)) is not None

    def profiles_revoked(self, issuer: str, *, after: int, since: int) -> set[str]:
        """Return of which profiles certificates were revoked or held after the change of this number.

        Or ``since`` this time: a failover that lost changes gives their numbers again.
        """
        return {profile for (profile,) in self.rows(_PROFILES, (issuer, after, since))}

    def revocations(self, issuer: str, *, not_expired_at: int) -> Iterator[Revocation]:
        """Yield the same ones with their time and reason."""
        rows = self.each(f"select serial_number, revoked_at, reason {_WHERE}", (issuer, not_expired_at))
        return (Revocation(decode_serial(serial), at, reason) for serial, at, reason in rows)

    def revoked_serials(self, issuer: str, *, not_expired_at: int = 0) -> Iterator[str]:
        """Yield only the serial numbers of the revoked and held ones, in that order, as ``show_serials`` says."""
        return show_serials(self.column(f"select serial_number {_WHERE}", (issuer, not_expired_at)))

    def last_revoked_at(self, issuer: str) -> int | None:
        """Return when a certificate of the issuer was revoked or held last, None where none is."""
        row = self.row(_LAST, (issuer,))
        return None if row is None else row[0]


def _impossible(code: str, verb: str, record: CertificateRecord) -> StoreError:
    return StoreError(
        code,
        f"a certificate that is {record.status} cannot be {verb}: {record.name} ({show_serial(record.serial_number)})",
        hint="only a certificate on hold can be released" if verb == "released" else None,
    )
