"""Revoke a certificate, or take a hold back. What relying parties see of it is made by ``publish`` and by a deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from counterseal.authority.find import find
from counterseal.authority.parts import ROOT
from counterseal.errors import NotFoundError, RefusedError, shell_line
from counterseal.moments import epoch, moment, show_moment
from counterseal.pki.crl import RevocationReason, encode_entry
from counterseal.pki.keys import key_hash_in
from counterseal.pki.profile import UNLISTED
from counterseal.pki.shown import counted, show_serial
from counterseal.pki.subject import show_subject
from counterseal.store.records import CA_PROFILE, CertificateRecord, Status

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority
    from counterseal.store.records import CARecord


def revoke(authority: Authority, selector: str, reason: RevocationReason) -> CertificateRecord:
    """Record that the certificate is revoked from now on; ``certificate_hold`` can be taken back.

    A held certificate can be revoked for good. Raises NotFoundError, AmbiguousError, RefusedError
    ``revoke.already``, ``revoke.ca``.
    """
    return revoke_record(authority, find_revocable(authority, selector, reason), reason)


def find_revocable(authority: Authority, selector: str, reason: RevocationReason) -> CertificateRecord:
    """Return the certificate that ``revoke`` would revoke; raises what it raises."""
    try:
        record = find(authority, selector, statuses=(Status.VALID, Status.HELD))
    except NotFoundError:
        if selector == ROOT:  # it has no row of its own: nobody issued it
            refuse_root(authority)
        raise
    _refuse_ca(authority, record)
    refuse_again(record, reason)
    return record


def revoke_record(authority: Authority, record: CertificateRecord, reason: RevocationReason) -> CertificateRecord:
    """Revoke a certificate that is at hand; see ``revoke``."""
    _refuse_ca(authority, record)
    at = authority.clock().replace(microsecond=0)
    entry = encode_entry(record.serial_number, at, reason=reason)
    with authority.store.transaction():
        refuse_again(authority.store.hold(record.serial_number, issuer=record.issuer), reason)
        return authority.store.revoke(
            record.serial_number, at=epoch(at), reason=reason.value, crl_entry=entry, issuer=record.issuer
        )


def others_with_key(authority: Authority, record: CertificateRecord) -> tuple[CertificateRecord, ...]:
    """Return the valid certificates of the same name and key: one that was renewed stands beside its successor."""
    key, now = key_hash_in(record.certificate or b""), epoch(authority.clock())
    return tuple(
        one
        for one in authority.store.by_name(record.name, Status.VALID)
        if one.not_after > now and key is not None and key_hash_in(one.certificate or b"") == key
    )


def ca_of(authority: Authority, record: CertificateRecord) -> CARecord | None:
    """Return the CA of ours whose own certificate this is, None where it is any other."""
    if record.profile != CA_PROFILE:
        return None
    return next((ca for ca in authority.store.cas() if ca.certificate == record.certificate), None)


def refuse_root(authority: Authority) -> NoReturn:
    """Raise RefusedError ``ca.root``: nobody stands above a root who could revoke it."""
    subject = show_subject(authority.issuer(ROOT).certificate.subject)
    raise RefusedError(
        "ca.root",
        f"a root cannot be revoked, for nobody stands above it to say so: {subject}",
        hint="take it out of whatever trusts it, and make another CA in another --home: counterseal init",
    )


def _refuse_ca(authority: Authority, record: CertificateRecord) -> None:
    ca = ca_of(authority, record)
    if ca is None:
        return
    count = authority.store.count_valid_of(ca.name, at=epoch(authority.clock()), without_profiles=UNLISTED)
    raise RefusedError(
        "revoke.ca",
        f"{ca.name} is a CA, with {counted(count, 'valid certificate')}: {record.subject}",
        hint=f"to revoke it with all that it issued: {shell_line('counterseal', 'ca', 'revoke', ca.name)}",
    )


def refuse_again(record: CertificateRecord, reason: RevocationReason) -> None:
    """Raise RefusedError ``revoke.already`` where it is revoked, or on hold and shall be."""
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
    _refuse_ca(authority, record)
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
