"""Publish revocations: a new full CRL for every CA whose key is here (RFC 5280 5), root included.

nginx asks for a list of every CA in a chain, so a list that is merely old is replaced too, long before it ends.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import chain, count
from time import monotonic
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.leasing import PATIENCE_SECONDS, patiently
from counterseal.authority.listing import list_entries
from counterseal.authority.parts import ROOT
from counterseal.authority.rehearsing import Unsigned
from counterseal.authority.renewal import list_due_at
from counterseal.authority.signing import key_use, log_discarded
from counterseal.errors import StoreError
from counterseal.moments import epoch, moment
from counterseal.pki.crl import sign_crl
from counterseal.store.leases import give_lease_back
from counterseal.store.records import CRLRecord

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from counterseal.authority.parts import Authority
    from counterseal.pki.signer import Signer
    from counterseal.store.leases import Lease
    from counterseal.store.records import CARecord, CRLTimes

_LEASE_SECONDS, _ENTRIES_A_SECOND = 5, 50_000
"""How long a list may take to sign before somebody else begins: so long a killed process holds up the next list."""


@dataclass(frozen=True, slots=True)
class Published:
    """What was signed, and the CAs whose key is not here and whose list therefore stayed as it is."""

    signed: tuple[CRLRecord, ...]
    without_key: tuple[str, ...]


def publish(authority: Authority, *, only: Collection[str] | None = None) -> Published:
    """Sign a new CRL for every CA, or for those in ``only``, whose key is in the key store."""
    signed: list[CRLRecord] = []
    without_key: list[str] = []
    for record in authority.store.cas():
        if only is not None and record.name not in only:
            continue
        if authority.keystore.has(record.key_id):
            signed.append(_publish_one(authority, record))
        else:
            without_key.append(record.name)
    return Published(tuple(signed), tuple(without_key))


def unlock(authority: Authority) -> None:
    """Open every key that ``publish`` will sign with; raises KeyAccessError before anything has been recorded."""
    for record in signing_cas(authority):
        authority.keystore.signer(record.key_id)


def signing_cas(authority: Authority) -> tuple[CARecord, ...]:
    """Return the CAs whose key is here: the others' lists are signed elsewhere, see ``take_list``."""
    return tuple(record for record in authority.store.cas() if authority.keystore.has(record.key_id))


def stale_lists(authority: Authority) -> tuple[str, ...]:
    """Return the CAs without a CRL, with one older than the refresh interval, or than a change to their revocations.

    A change is younger than the list where whoever revoked was stopped before he published. One dated ahead, by a clock
    that was, counts as none: until its date OpenSSL refuses it, and with it everybody. A CA whose key is not here is
    left out: see ``ending_lists``.
    """
    return tuple(record.name for record in signing_cas(authority) if _is_stale(authority, record.name))


def ending_lists(authority: Authority) -> tuple[CRLTimes, ...]:
    """Return the lists that end soon, or have ended, and whose CA's key is not here to sign another.

    nginx refuses everybody under a CA whose list has ended; of one that is revoked it does so anyway.
    """
    now = authority.clock()
    lists = (authority.store.latest_crl_times(record.name) for record in _absent(authority))
    return tuple(crl for crl in lists if crl is not None and list_due_at(authority, crl, key_here=False) <= now)


def lacking_lists(authority: Authority) -> tuple[str, ...]:
    """Return the CAs whose newest list lacks a change to their revocations, and whose key is not here to sign one."""
    lists = (authority.store.latest_crl_times(record.name) for record in _absent(authority))
    return tuple(crl.issuer for crl in lists if crl is not None and _lacks_revocation(authority, crl))


def _absent(authority: Authority) -> Iterator[CARecord]:
    """Yield the CAs whose key is not here, but for those that are revoked."""
    for record in authority.store.cas():
        if record.revoked_at is None and not authority.keystore.has(record.key_id):
            yield record


def _is_stale(authority: Authority, ca: str) -> bool:
    crl = authority.store.latest_crl_times(ca)
    if crl is None or not timedelta() <= authority.clock() - moment(crl.this_update) < authority.rules.crl_refresh:
        return True
    return _lacks_revocation(authority, crl)


def _lacks_revocation(authority: Authority, crl: CRLTimes) -> bool:
    """Whether a change is not on the list yet; by number, because the clocks of two hosts differ."""
    ca, listed = crl.issuer, authority.store.latest_crl_change(crl.issuer)
    if listed is not None:
        return listed < authority.store.revocation_changes(ca)[0]
    newest = authority.store.last_revoked_at(ca)  # a list made elsewhere, or before changes were numbered
    return newest is not None and newest >= crl.this_update


def rehearse_lists(authority: Authority, *, only: Collection[str] | None = None) -> tuple[CRLRecord, ...]:
    """Return the lists that ``publish`` would sign, each with zeros for its signature; no number is taken for them."""
    return tuple(
        _make(authority, record, authority.store.last_crl_number(record.name) + 1, Unsigned.of(record))
        for record in signing_cas(authority)
        if only is None or record.name in only
    )


def rehearse_publish(authority: Authority) -> None:
    """Put the lists that ``publish`` would sign into the store of a ``rehearsing``, which forgets them again."""
    for crl in rehearse_lists(authority):
        authority.store.add_crl(crl)


def _publish_one(authority: Authority, record: CARecord) -> CRLRecord:
    """Sign and keep a list; one process at a time, and one that was overtaken by another begins again.

    The list that came too late, or that the store did not take, is in the log as discarded.
    """
    signer = authority.keystore.signer(record.key_id)
    deadline = monotonic() + PATIENCE_SECONDS
    while True:
        lease, number = _begin(authority, record.name, deadline)
        crl = None
        try:
            crl = _make(authority, record, number, signer)
            use = key_use(authority, record.name, f"crl {crl.number}", crl.crl, None)
            authority.store.add_crl(crl, use, lease=lease)
        except BaseException as error:
            overtaken = isinstance(error, StoreError) and error.code == "store.lease_lost"
            if crl is not None:
                _discard(authority, crl)
            if not (overtaken and monotonic() < deadline):
                with suppress(StoreError):
                    give_lease_back(authority.store, lease)
                raise
        else:
            return crl


def _discard(authority: Authority, crl: CRLRecord) -> None:
    """Log a list that nobody gets, unless the answer alone was lost to what stored it."""
    with suppress(StoreError):
        if authority.store.has_crl(crl.issuer, crl.number):
            return
    log_discarded(authority, key_use(authority, crl.issuer, f"crl {crl.number}, discarded", crl.crl, None))


def _begin(authority: Authority, ca: str, deadline: float) -> tuple[Lease, int]:
    last = authority.store.latest_crl_times(ca)
    seconds = _LEASE_SECONDS + (last.entries if last else 0) // _ENTRIES_A_SECOND
    take = partial(authority.store.begin_crl, ca, holder=authority.actor, seconds=seconds)
    return patiently(take, f"the list of CA {ca}", until=deadline)


def _lifetime(authority: Authority, record: CARecord) -> timedelta:
    rules = authority.rules
    return (rules.root_crl_lifetime if record.purpose == ROOT else None) or rules.crl_lifetime


def _make(authority: Authority, record: CARecord, number: int, signer: Signer) -> CRLRecord:
    now = authority.clock().replace(microsecond=0)
    next_update = now + _lifetime(authority, record)
    certificate = x509.load_der_x509_certificate(record.certificate)
    listing = list_entries(authority, record.name, certificate, now=epoch(now), until=epoch(next_update))
    counter = count(listing.taken_over)
    added = (entry for entry, _ in zip(listing.added, counter, strict=False))  # read once, never all in memory
    content = sign_crl(
        certificate,
        number=number,
        this_update=now,
        next_update=next_update,
        entries=chain((listing.before,), added),
        signer=signer,
    )
    return CRLRecord(record.name, number, epoch(now), epoch(next_update), content, next(counter), listing.change_number)
