"""What stands on a CA's next list: the entries of its last list and what has changed since, or all of them anew.

Changes to the revocations of a CA are numbered in the store, and a list has them in that order; so the next one is the
last one and what is new, octet for octet what it would be from the beginning. It begins anew where an entry has left
since (a hold lifted, a certificate ended), where the last list does not bear the CA's signature, and where it is as old
as the refresh interval: the daily list is made from the store alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.pki.crl_reader import encoded_entries, signed_parts
from counterseal.pki.keys import signature_hash
from counterseal.pki.path.signature import is_signed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography import x509

    from counterseal.authority.parts import Authority
    from counterseal.store.records import CRLRecord

_NOTHING = memoryview(b"")


@dataclass(frozen=True, slots=True)
class Listing:
    """The encoded entries in their order: so many ``taken_over`` as they stand in ``before``, then ``added``.

    All changes up to ``change_number`` are in it, and none after.
    """

    before: memoryview
    taken_over: int
    added: Iterable[bytes]
    change_number: int


def list_entries(authority: Authority, ca: str, certificate: x509.Certificate, *, now: int, until: int) -> Listing:
    """Return what a list of ``ca`` has from ``now`` to ``until`` (seconds)."""
    kept_from = now - (until - now)  # on one list after its expiry, RFC 5280 3.3
    newest, last_removal = authority.store.revocation_changes(ca)
    last = _grows(authority, ca, certificate, kept_from, last_removal)
    if last is None or last.change_number is None:
        entries = authority.store.revoked(ca, not_expired_at=kept_from, until=newest)
        return Listing(_NOTHING, 0, entries, newest)
    added = authority.store.revoked(ca, not_expired_at=kept_from, after=last.change_number, until=newest)
    return Listing(encoded_entries(last.crl), last.entries, added, newest)


def _grows(
    authority: Authority, ca: str, certificate: x509.Certificate, kept_from: int, last_removal: int
) -> CRLRecord | None:
    """Return the last list if the next one has all that is on it; what costs least is looked at first."""
    last = authority.store.latest_crl(ca)
    if last is None or last.change_number is None or last_removal > last.change_number:
        return None
    age = authority.clock().timestamp() - last.this_update
    if not 0 <= age < authority.rules.crl_refresh.total_seconds():
        return None
    its_kept_from = last.this_update - (last.next_update - last.this_update)
    since, before = sorted((its_kept_from, kept_from))
    if authority.store.any_ended(ca, since=since, before=before):
        return None
    return last if _is_own(last.crl, certificate) else None


def _is_own(crl: bytes, certificate: x509.Certificate) -> bool:
    key = certificate.public_key()
    try:
        return is_signed(*signed_parts(crl), key, (signature_hash(key), None))
    except (InputError, ValueError):
        return False
