"""Answering OCSP: what the store says of a certificate, and a responder that the CA certifies for it.

The responder of a CA has a key of its own, beside the CA's in the key store and as well protected, and a certificate
for nothing but OCSP (RFC 6960 4.2.2.2). Both live for a fortnight and are replaced when a third of it is left, so the
CA's key signs once in nine days, and never an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.leasing import leased
from counterseal.authority.renewal import is_due
from counterseal.authority.signing import key_use, log_discarded, prepare_draft, record, reserve_number
from counterseal.errors import StoreError
from counterseal.moments import epoch, moment
from counterseal.pki.certificate import IssuanceRequest, assemble_end_entity
from counterseal.pki.crl import RevocationReason
from counterseal.pki.keys import P256
from counterseal.pki.ocsp import CertificateStatus
from counterseal.pki.policy import BACKDATE
from counterseal.pki.profile import RESPONDER
from counterseal.pki.subject import common_name, subject_of
from counterseal.store.leases import require_lease
from counterseal.store.records import Status

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority
    from counterseal.authority.signing import Issued, Prepared
    from counterseal.pki.signer import Signer
    from counterseal.store.leases import Lease
    from counterseal.store.records import CARecord

_LEASE_SECONDS = 30
"""How long a responder may take to be made before somebody else begins."""

_UNKNOWN, _GOOD = CertificateStatus(known=False), CertificateStatus(known=True)
_COMPROMISED = {RevocationReason.KEY_COMPROMISE, RevocationReason.CA_COMPROMISE}


@dataclass(frozen=True, slots=True)
class Responder:
    """Who signs the answers for one CA."""

    ca: str
    certificate: x509.Certificate
    signer: Signer


def status_of(authority: Authority, ca: str, serial_number: int) -> CertificateStatus:
    """Return what is known of a certificate of this CA; a number that is only reserved is unknown (RFC 6960 2.2)."""
    standing = authority.store.standing(serial_number, issuer=ca)
    if standing is None or standing[0] == Status.RESERVED:
        return _UNKNOWN
    _, revoked_at, reason = standing
    if revoked_at is None:
        return _GOOD
    reason = RevocationReason(reason or RevocationReason.UNSPECIFIED)
    return CertificateStatus(known=True, revoked_at=moment(revoked_at), reason=reason)


def status_under(own: CertificateStatus, ca: CertificateStatus) -> CertificateStatus:
    """Return what is to be said of a certificate that stands so itself, while its CA's certificate stands so.

    What a revoked CA issued is revoked with it, as nginx and the service admit it no more; the earlier revocation is
    told, and a hold, which could end, is none. Who has the key of a compromised one signs under numbers that nobody
    knows, so of such a CA these are revoked as well (RFC 6960 2.7).
    """
    if ca.revoked_at is None or not (own.known or ca.reason in _COMPROMISED):
        return own
    is_held = own.reason is RevocationReason.CERTIFICATE_HOLD
    if own.revoked_at is not None and own.revoked_at <= ca.revoked_at and not is_held:
        return own
    reason = RevocationReason.CA_COMPROMISE if ca.reason in _COMPROMISED else ca.reason
    return CertificateStatus(own.known, ca.revoked_at, reason)


def places_above(authority: Authority, ca: CARecord) -> tuple[tuple[str, int], ...]:
    """Return under which issuer and number the certificates are filed that this CA stands on, its own the last."""
    records = (ca, *authority.above(ca))
    numbers = (x509.load_der_x509_certificate(one.certificate).serial_number for one in records)
    filed = [(one.parent, number) for one, number in zip(records, numbers, strict=True) if one.parent]
    return tuple(reversed(filed))


def current_responder(authority: Authority, ca: str) -> Responder | None:
    """Return the CA's responder, unless there is none yet, or it is due to be replaced."""
    for one in authority.store.by_name(_name(ca), Status.VALID):
        certificate = x509.load_der_x509_certificate(one.certificate or b"")
        if not is_due(authority, certificate) and authority.keystore.has(_key_id(ca, one.serial_number)):
            return Responder(ca, certificate, authority.keystore.signer(_key_id(ca, one.serial_number)))
    return None


def ensure_responder(authority: Authority, ca: str) -> Responder:
    """Return the CA's responder, certifying a new one with a new key where that is due.

    One process at a time does so, and the others take what it made. The keys of those that have expired are removed.
    Raises KeyAccessError, StoreError, RefusedError.
    """
    found = current_responder(authority, ca)
    if found is None:
        with leased(authority, f"responder {ca}", seconds=_LEASE_SECONDS) as lease:
            found = current_responder(authority, ca) or _make(authority, ca, lease)
            _remove_old_keys(authority, ca)
    return found


def _remove_old_keys(authority: Authority, ca: str) -> None:
    """Remove the keys of those that have expired, and of numbers that were only reserved: their maker was ended."""
    for one in authority.store.by_name(_name(ca), Status.RESERVED):
        if one.not_after < epoch(authority.clock()):  # a number alone has no end
            authority.keystore.discard(_key_id(ca, one.serial_number))


def _make(authority: Authority, ca: str, lease: Lease) -> Responder:
    ca_record, issuer = authority.store.ca(ca), authority.issuer(ca)
    serial_number, now = authority.serial_number(), authority.clock().replace(microsecond=0)
    ca_signer, key_id = authority.keystore.signer(ca_record.key_id), _key_id(ca, serial_number)
    reserve_number(authority, serial_number, issuer=ca, name=_name(ca), profile=RESPONDER.name)
    signer = authority.keystore.create(key_id, P256, encrypt=authority.keystore.is_encrypted(ca_record.key_id))
    request = IssuanceRequest(
        profile=RESPONDER,
        subject=subject_of(f"{common_name(issuer.certificate.subject) or ca} OCSP"[:64]),
        names=(),
        public_key=signer.public_key,
        not_before=max(now - BACKDATE, issuer.certificate.not_valid_before_utc),
        not_after=min(now + RESPONDER.lifetime, issuer.certificate.not_valid_after_utc),
        serial_number=serial_number,
    )
    draft = assemble_end_entity(request, issuer, ca_signer.signature_algorithm)
    try:
        prepared = prepare_draft(draft, issuer, ca_signer, name=_name(ca), profile=RESPONDER.name)
        made = _record(authority, prepared, prepared.sign(), lease)
    except BaseException:
        authority.keystore.discard(key_id)
        raise
    return Responder(ca, made.certificate, signer)


def _record(authority: Authority, prepared: Prepared, content: bytes, lease: Lease) -> Issued:
    """Record it if nobody else has begun meanwhile; else that the CA's key was used is in the log all the same."""
    try:
        with authority.store.transaction():
            require_lease(authority.store, lease)
            return record(authority, prepared, content)
    except StoreError:
        ca, number = prepared.issuer.name, prepared.preview.serial_number
        if not _is_known(authority, ca, number):  # where it is, the answer alone was lost to what recorded it
            log_discarded(authority, key_use(authority, ca, "certificate, discarded", prepared.draft.tbs, number))
        raise


def _is_known(authority: Authority, ca: str, serial_number: int) -> bool:
    try:
        return status_of(authority, ca, serial_number).known
    except StoreError:
        return False


def _name(ca: str) -> str:
    return f"ocsp:{ca}"


def _key_id(ca: str, serial_number: int) -> str:
    return f"ocsp-{ca}-{serial_number:x}"
