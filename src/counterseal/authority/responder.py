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
from counterseal.authority.signing import prepare_draft, record, reserve
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
    from counterseal.keystore.software import SoftwareSigner
    from counterseal.store.leases import Lease

_LEASE_SECONDS = 30
"""How long a responder may take to be made before somebody else begins."""

_UNKNOWN, _GOOD = CertificateStatus(known=False), CertificateStatus(known=True)


@dataclass(frozen=True, slots=True)
class Responder:
    """Who signs the answers for one CA."""

    ca: str
    certificate: x509.Certificate
    signer: SoftwareSigner


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
    for one in authority.store.by_name(_name(ca)):
        if one.not_after < epoch(authority.clock()):
            authority.keystore.discard(_key_id(ca, one.serial_number))


def _make(authority: Authority, ca: str, lease: Lease) -> Responder:
    ca_record, issuer = authority.store.ca(ca), authority.issuer(ca)
    serial_number, now = authority.serial_number(), authority.clock().replace(microsecond=0)
    ca_signer, key_id = authority.keystore.signer(ca_record.key_id), _key_id(ca, serial_number)
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
        reserve(authority, prepared)
        content = prepared.sign()
        with authority.store.transaction():
            require_lease(authority.store, lease)
            made = record(authority, prepared, content)
    except BaseException:
        authority.keystore.discard(key_id)
        raise
    return Responder(ca, made.certificate, signer)


def _name(ca: str) -> str:
    return f"ocsp:{ca}"


def _key_id(ca: str, serial_number: int) -> str:
    return f"ocsp-{ca}-{serial_number:x}"
