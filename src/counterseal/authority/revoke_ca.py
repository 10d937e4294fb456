"""Revoke a CA: its certificate goes onto the list of the CA above it, and it issues nothing from then on.

What it issued is marked nowhere: a certificate is worth no more than the CA above it. Sites admit it no more
(``site_material``), so that the lock-out waits neither for the key of a root that lies in a safe nor for its list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.revoke import refuse_again, refuse_root
from counterseal.errors import RefusedError
from counterseal.moments import epoch, moment, show_moment
from counterseal.pki.crl import RevocationReason, encode_entry
from counterseal.pki.profile import UNLISTED

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority
    from counterseal.store.records import CARecord, CertificateRecord

REASONS = (
    RevocationReason.UNSPECIFIED,
    RevocationReason.KEY_COMPROMISE,
    RevocationReason.CA_COMPROMISE,
    RevocationReason.AFFILIATION_CHANGED,
    RevocationReason.SUPERSEDED,
    RevocationReason.CESSATION_OF_OPERATION,
    RevocationReason.PRIVILEGE_WITHDRAWN,
)
"""RFC 5280 5.3.1, without the hold: a CA that was in doubt is not trusted again."""


@dataclass(frozen=True, slots=True)
class Doomed:
    """A CA that can be revoked: its own certificate, and how many valid ones end with it, probes left out."""

    ca: CARecord
    certificate: CertificateRecord
    valid: int


def find_doomed(authority: Authority, name: str) -> Doomed:
    """Return what ``revoke_ca`` would revoke.

    Raises NotFoundError ``store.no_ca``, RefusedError ``ca.root``, ``ca.revoked_already``.
    """
    ca = authority.store.ca(name)
    if ca.parent is None:
        refuse_root(authority)
    if ca.revoked_at is not None:
        raise RefusedError(
            "ca.revoked_already",
            f"CA {name} is revoked since {show_moment(moment(ca.revoked_at))}",
            hint="to see that nginx refuses what it issued: counterseal prove; to have it so: counterseal nginx deploy",
        )
    serial_number = x509.load_der_x509_certificate(ca.certificate).serial_number
    certificate = authority.store.certificate(serial_number, issuer=ca.parent)
    valid = authority.store.count_valid_of(name, at=epoch(authority.clock()), without_profiles=UNLISTED)
    return Doomed(ca, certificate, valid)


def revoke_ca(authority: Authority, name: str, reason: RevocationReason) -> CARecord:
    """Record that the CA is revoked from now on, for good, and return it; raises what ``find_doomed`` does."""
    own, at = find_doomed(authority, name).certificate, authority.clock().replace(microsecond=0)
    entry = encode_entry(own.serial_number, at, reason=reason)
    with authority.store.transaction():
        refuse_again(authority.store.hold(own.serial_number, issuer=own.issuer), reason)
        authority.store.revoke(own.serial_number, at=epoch(at), reason=reason.value, crl_entry=entry, issuer=own.issuer)
        authority.store.mark_ca_revoked(name, at=epoch(at), reason=reason.value)
    return authority.store.ca(name)
