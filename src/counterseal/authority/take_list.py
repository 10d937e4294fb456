"""Take a list that was signed elsewhere: an offline root's key is not here, and nginx asks for its list all the same.

Decides of which CA a list is and whether it takes the place of the last one (RFC 5280 5.2.3, 6.3.3). What stands on it
is recorded as revoked, so that no list signed here, should the key ever come, forgets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.adopt import adopt_revocations, is_final
from counterseal.errors import InputError, RefusedError
from counterseal.moments import epoch, moment, show_moment
from counterseal.pki.crl_reader import parse_facts, revocations, revoked_serials
from counterseal.pki.path.candidate import Candidate
from counterseal.pki.path.revocation import list_faults
from counterseal.pki.path.revocation_list import RevocationList
from counterseal.pki.shown import show_serial
from counterseal.pki.subject import show_subject
from counterseal.store.records import CRLRecord, Status
from counterseal.store.revocations import HOLD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from counterseal.authority.parts import Authority
    from counterseal.pki.crl_reader import CRLFacts
    from counterseal.store.records import CARecord

_NUMBER_BITS = 63  # what a column of the store holds


@dataclass(frozen=True, slots=True)
class GivenList:
    """A list that may be taken, and the CAs of ours that stand on it; ``is_new``: it is not here already.

    ``is_own``: its CA signs its lists here, as before it was restored; what stands on this one comes onto the next, and
    ``added`` are the serial numbers that were not revoked here.
    """

    crl: CRLRecord
    revoked: tuple[CARecord, ...]
    is_new: bool
    is_own: bool = False
    added: frozenset[int] = frozenset()


def judge_list(authority: Authority, content: bytes) -> GivenList:
    """Return a DER list as it would be taken; nothing is changed.

    Raises InputError ``crl.malformed``, ``crl.issuer`` (signed by no CA here), RefusedError ``crl.unusable`` with every
    reason.
    """
    facts, one = parse_facts(content), RevocationList(content)
    ca = _signer_of(authority, facts, one)
    is_own = authority.keystore.has(ca.key_id)
    last = authority.store.latest_crl(ca.name)
    added = frozenset(_unknown_here(authority, ca, content)) if is_own else frozenset[int]()
    if is_own:
        is_new = bool(added)
        faults = dict.fromkeys(_list_faults(authority, ca, one, at=facts.this_update))  # it may have ended since
    else:
        is_new = last is None or last.crl != content
        faults = dict.fromkeys(_faults(authority, ca, one, content))
    if is_new or is_own:
        faults |= dict.fromkeys(_out_of_turn(facts, None if is_own else last))
    if faults:
        hint = "have its CA sign a new one, full, and for every certificate of it"
        raise RefusedError("crl.unusable", f"the list of CA {ca.name} cannot be taken: {'; '.join(faults)}", hint=hint)
    number = facts.number if facts.number is not None else (last.number if last else 0) + 1
    next_update = epoch(facts.next_update or facts.this_update)  # one without is refused above
    crl = CRLRecord(ca.name, number, epoch(facts.this_update), next_update, content, facts.count)
    listed = revoked_serials(content)
    revoked = tuple(below for below in _below(authority, ca) if _read(below).serial_number in listed)
    return GivenList(crl, revoked, is_new, is_own, added)


def take_list(authority: Authority, content: bytes) -> GivenList:
    """Keep a DER list as the newest of its CA, and record what stands on it; raises what ``judge_list`` does.

    One of a CA that signs its lists here is not kept: its entries are, and its number is not used again.
    """
    given = judge_list(authority, content)
    if given.is_new:
        with authority.store.transaction():
            adopt_revocations(authority, authority.store.ca(given.crl.issuer), revocations(content))
            _mark_revoked(authority, given)
            if given.is_own:
                authority.store.raise_crl_number(given.crl.issuer, given.crl.number)
                return given
            newest, _ = authority.store.revocation_changes(given.crl.issuer)  # it has them all, or was refused
            authority.store.take_crl(given.crl._replace(change_number=newest))
    return given


def _mark_revoked(authority: Authority, given: GivenList) -> None:
    for ca in given.revoked:
        if ca.revoked_at is None:
            row = authority.store.certificate(_read(ca).serial_number, issuer=given.crl.issuer)
            at, reason = row.revoked_at or given.crl.this_update, row.revocation_reason or "unspecified"
            authority.store.mark_ca_revoked(ca.name, at=at, reason=reason)


def _signer_of(authority: Authority, facts: CRLFacts, one: RevocationList) -> CARecord:
    for ca in authority.store.cas():
        if _read(ca).subject == facts.issuer and one.is_signed_by(Candidate(ca.certificate)):
            return ca
    raise InputError(
        "crl.issuer",
        f"no CA here has signed this list: {show_subject(facts.issuer)}",
        hint="those there are: counterseal ca list",
    )


def _unknown_here(authority: Authority, ca: CARecord, content: bytes) -> Iterator[int]:
    """Yield the serial numbers that are not revoked here, or only held where the list revokes for good."""
    here = {one.serial_number: one.reason == HOLD for one in authority.store.revocations(ca.name, not_expired_at=0)}
    for entry in revocations(content):
        is_held = here.get(entry.serial_number)
        if is_held is None or (is_held and is_final(entry)):
            yield entry.serial_number


def _list_faults(authority: Authority, ca: CARecord, one: RevocationList, *, at: datetime) -> Iterator[str]:
    for subject in _below(authority, ca) or (ca,):
        candidate, issuer = Candidate(subject.certificate), Candidate(ca.certificate)
        yield from list_faults(one, candidate, issuer, at=at)


def _faults(authority: Authority, ca: CARecord, one: RevocationList, content: bytes) -> Iterator[str]:
    yield from _list_faults(authority, ca, one, at=authority.clock())
    if one.next_update is None:
        yield "it has no next_update"
    listed = revoked_serials(content)
    for shown in authority.store.revoked_serials(ca.name, not_expired_at=epoch(authority.clock())):
        if int(shown, 16) in listed:
            continue
        record = authority.store.certificate(int(shown, 16), issuer=ca.name)
        if record.status is Status.REVOKED and record.certificate is not None:
            yield f"{record.name} ({show_serial(record.serial_number)}), which is revoked here, does not stand on it"


def _out_of_turn(facts: CRLFacts, last: CRLRecord | None) -> Iterator[str]:
    if facts.number is not None and facts.number.bit_length() > _NUMBER_BITS:
        yield f"its number has more than {_NUMBER_BITS} bits: {facts.number}"
    if last is None:
        return
    if facts.number is not None and facts.number <= last.number:
        yield f"its number is {facts.number}, that of the last one {last.number}"
    if facts.this_update < moment(last.this_update):
        yield f"it is of {show_moment(facts.this_update)}, the last one of {show_moment(moment(last.this_update))}"


def _below(authority: Authority, ca: CARecord) -> tuple[CARecord, ...]:
    return tuple(record for record in authority.store.cas() if record.parent == ca.name)


def _read(ca: CARecord) -> x509.Certificate:
    return x509.load_der_x509_certificate(ca.certificate)
