"""Take over what a CA issued and revoked elsewhere, as openssl's index or a list tells it.

Of a certificate whose file is not there no more is known than the line or the entry says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterseal.authority.any_purpose import is_of_any_purpose
from counterseal.authority.openssl_index import common_name_in, find_certificate
from counterseal.authority.signing import record_of
from counterseal.errors import NotFoundError
from counterseal.files import read_file
from counterseal.moments import epoch
from counterseal.pki.crl import RevocationReason, encode_entry
from counterseal.pki.reading import certificates_in
from counterseal.pki.shown import printable, show_serial
from counterseal.pki.subject import common_name
from counterseal.store.records import IMPORTED, CertificateRecord, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from counterseal.authority.openssl_index import IndexEntry
    from counterseal.authority.parts import Authority
    from counterseal.pki.crl_reader import Revocation
    from counterseal.store.records import CARecord


def adopt_index(
    authority: Authority, ca: CARecord, entries: Sequence[IndexEntry], directory: Path | None
) -> tuple[CertificateRecord, ...]:
    """Record the entries of an index, with the certificates in ``directory``; raises what reading them does.

    Returns those that are valid and good for every purpose.
    """
    adopted = [_adopted(authority, ca, entry, directory) for entry in entries]
    authority.store.adopt(adopted)
    now = epoch(authority.clock())
    valid = (row for row, _ in adopted if row.status is Status.VALID and row.not_after > now)
    return tuple(filter(is_of_any_purpose, valid))


def adopt_revocations(authority: Authority, ca: CARecord, entries: Iterable[Revocation]) -> None:
    """Record the entries of a list of ``ca`` as revoked, also those of certificates that are not here.

    Who is on hold here and revoked for good there is revoked for good.
    """
    end, unknown = x509.load_der_x509_certificate(ca.certificate).not_valid_after_utc, []
    for entry in entries:
        reason = entry.reason or RevocationReason.UNSPECIFIED
        try:
            record = authority.store.certificate(entry.serial_number, issuer=ca.name)
        except NotFoundError:
            record = _unknown(authority, ca, entry.serial_number, end)
            unknown.append(_revoked(record, entry.revoked_at, reason))
            continue
        if record.status is Status.VALID or (record.status is Status.HELD and is_final(entry)):
            encoded = encode_entry(entry.serial_number, entry.revoked_at, reason=reason)
            at = epoch(entry.revoked_at)
            authority.store.revoke(entry.serial_number, at=at, reason=reason.value, crl_entry=encoded, issuer=ca.name)
    authority.store.adopt(unknown)


def is_final(entry: Revocation) -> bool:
    """Whether an entry revokes for good."""
    return entry.reason is not RevocationReason.CERTIFICATE_HOLD


def _adopted(
    authority: Authority, ca: CARecord, entry: IndexEntry, directory: Path | None
) -> tuple[CertificateRecord, bytes | None]:
    record = _record(authority, ca, entry, directory)
    return (record, None) if entry.revoked_at is None else _revoked(record, entry.revoked_at, entry.reason)


def _revoked(record: CertificateRecord, at: datetime, reason: RevocationReason) -> tuple[CertificateRecord, bytes]:
    status = Status.HELD if reason is RevocationReason.CERTIFICATE_HOLD else Status.REVOKED
    revoked = record._replace(status=status, revoked_at=epoch(at), revocation_reason=reason.value)
    return revoked, encode_entry(record.serial_number, at, reason=reason)


def _record(authority: Authority, ca: CARecord, entry: IndexEntry, directory: Path | None) -> CertificateRecord:
    file = find_certificate(directory, entry.serial_number) if directory else None
    certificate = certificates_in(read_file(file), source=str(file))[0] if file is not None else None
    if certificate is not None and certificate.serial_number == entry.serial_number:  # it is not the file that counts
        name = printable(common_name(certificate.subject) or show_serial(entry.serial_number))
        content, at = certificate.public_bytes(Encoding.DER), epoch(authority.clock())
        return record_of(
            certificate, content, issuer=ca.name, name=name, profile=IMPORTED, at=at, actor=authority.actor
        )
    record = _unknown(authority, ca, entry.serial_number, entry.not_after)
    return record._replace(name=printable(common_name_in(entry.subject) or record.name), subject=entry.subject)


def _unknown(authority: Authority, ca: CARecord, serial_number: int, end: datetime) -> CertificateRecord:
    return CertificateRecord(
        serial_number=serial_number,
        issuer=ca.name,
        name=show_serial(serial_number),
        subject="",
        names=(),
        profile=IMPORTED,
        group=None,
        status=Status.VALID,
        not_before=0,
        not_after=epoch(end),
        certificate=None,
        created_at=epoch(authority.clock()),
        created_by=authority.actor,
    )
