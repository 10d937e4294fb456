"""Revoke a certificate, or take a hold back. What relying parties see of it is made by ``publish`` and by a deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.authority.find import find
from counterseal.errors import RefusedError
from counterseal.moments import epoch, moment, show_moment
from counterseal.pki.crl import RevocationReason, encode_entry
from counterseal.pki.shown import show_serial
from counterseal.store.records import CertificateRecord, Status

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority


def revoke(authority: Authority, selector: str, reason: RevocationReason) -> CertificateRecord:
    """Record that the certificate is revoked from now on; ``certificate_hold`` can be taken back.

    A held certificate can be revoked for good. Raises NotFoundError, AmbiguousError, RefusedError
    ``revoke.already``.
    """
    return revoke_record(authority, find_revocable(authority, selector, reason), reason)


def find_revocable(authority: Authority, selector: str, reason: RevocationReason) -> CertificateRecord:
    """Return the certificate that ``revoke`` would revoke; raises what it raises."""
    record = find(authority, selector, statuses=(Status.VALID, Status.HELD))
    _refuse_again(record, reason)
    return record


def revoke_record(authority: Authority, record: CertificateRecord, reason: RevocationReason) -> CertificateRecord:
    """Revoke a certificate that is at hand; see ``revoke``."""
    at = authority.clock().replace(microsecond=0)
    entry = encode_entry(record.serial_number, at, reason=reason)
    with authority.store.transaction():
        _refuse_again(authority.store.hold(record.serial_number, issuer=record.issuer), reason)
        return authority.store.revoke(
            record.serial_number, at=epoch(at), reason=reason.value, crl_entry=entry, issuer=record.issuer
        )


def _refuse_again(record: CertificateRecord, reason: RevocationReason) -> None:
    if record.status is Status.REVOKED or (
        record.status is Status.HELD and reason is RevocationReason.CERTIFICATE_HOLD
    ):
        raise RefusedError(
            "revoke.already",
            f"certificate {show_serial(record.serial_number)} ({record.name}) is {record.status} since "
            f"{show_moment(moment(record.revoked_at or 0))}",
            hint="to see that nginx refuses it: counterseal prove; to put it in force again: counterseal nginx deploy",
        )


def unrevoke(authority: Authority, selector: str) -> CertificateRecord:
    """Take back a ``certificate_hold`` (RFC 5280 5.3.1); any other reason is final."""
    return unrevoke_record(authority, find(authority, selector, statuses=(Status.HELD,)))


def unrevoke_record(authority: Authority, record: CertificateRecord) -> CertificateRecord:
    """Take back the hold of a certificate that is at hand; see ``unrevoke``."""
    with authority.store.transaction():
        _require_held(authority.store.hold(record.serial_number, issuer=record.issuer))
        return authority.store.unrevoke(record.serial_number, issuer=record.issuer)


def find_held(authority: Authority, selector: str) -> CertificateRecord:
    """Return the certificate whose hold ``unrevoke`` would take back; raises RefusedError ``unrevoke.not_held``."""
    record = find(authority, selector, statuses=(Status.HELD,))
    _require_held(record)
    return record


def _require_held(record: CertificateRecord) -> None:
    if record.status is not Status.HELD:
        raise RefusedError(
            "unrevoke.not_held",
            f"only a hold can be taken back: {record.name} is {record.status}",
            hint="issue a new certificate: counterseal rekey",
        )
