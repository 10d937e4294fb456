"""What is to be reminded of: certificates and CAs that end soon, and lists that were not replaced in time.

A length before the end counts for a certificate only if it is less than the share of its lifetime with which it is due
to be renewed (a third). One that was replaced by a newer one of the same name and profile reminds nobody. So every end
passes each mark once, in the order of time, and all that is kept is how far the marks have come.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from counterseal.authority.readiness import CAState, read_cas
from counterseal.authority.renewal import SHARE_LEFT, list_due_at
from counterseal.moments import epoch, moment
from counterseal.pki.profile import UNLISTED
from counterseal.pki.shown import show_serial
from counterseal.store.records import CA_PROFILE, PAGE_LIMIT, Query, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from counterseal.authority.parts import Authority
    from counterseal.store.records import CertificateRecord

SHOWN = 100
"""Certificates told one by one; a message of thousands is read by nobody."""

_OTHERS = (*UNLISTED, CA_PROFILE)


@dataclass(frozen=True, slots=True)
class Ending:
    """Something that ends; ``serial_number`` in hex and ``issuer`` only of a certificate, ``note`` is its profile."""

    kind: Literal["certificate", "ca", "list"]
    name: str
    note: str
    ends: datetime
    serial_number: str | None = None
    issuer: str | None = None


@dataclass
class Due:
    """What a channel has not been told yet: the first of them, how many in all, and its marks once it was."""

    at: datetime
    endings: list[Ending] = field(default_factory=list)
    count: int = 0
    marks: dict[str, int] = field(default_factory=dict)

    def add(self, ending: Ending) -> None:
        """Count it, and keep it if it is one of the first."""
        self.count += 1
        if len(self.endings) < SHOWN or ending.kind != "certificate":
            self.endings.append(ending)


def find_due(authority: Authority, before: Sequence[timedelta], marks: Mapping[str, int]) -> Due:
    """Return what is beyond the ``marks`` now; reads the range of the index between a mark and now, and no more."""
    due, cas = Due(authority.clock()), read_cas(authority)
    _lists(authority, cas, marks, due)
    until = 0  # what a shorter length has told, a longer one does not tell again
    for length in sorted(before):
        topic, end = f"ends within {int(length.total_seconds())}", epoch(due.at + length)
        begin = max(marks.get(topic, epoch(due.at)), until)
        _cas(cas, begin, end, due)
        _certificates(authority, length, begin, end, due)
        due.marks[topic] = until = end
    return due


def _certificates(authority: Authority, length: timedelta, begin: int, end: int, due: Due) -> None:
    for record in _between(authority, begin, end):
        lifetime = record.not_after - record.not_before
        if length.total_seconds() < lifetime * SHARE_LEFT and not _was_replaced(authority, record):
            serial_number = show_serial(record.serial_number)
            ends = moment(record.not_after)
            due.add(Ending("certificate", record.name, record.profile, ends, serial_number, record.issuer))


def _between(authority: Authority, begin: int, end: int) -> Iterator[CertificateRecord]:
    query = Query(
        status=Status.VALID,
        without_profiles=_OTHERS,
        include_expired=False,
        at=begin,
        expires_before=end,
        limit=PAGE_LIMIT,
    )
    return authority.store.every(query) if begin < end else iter(())


def _was_replaced(authority: Authority, record: CertificateRecord) -> bool:
    others = authority.store.by_name(record.name, Status.VALID)
    return any(one.profile == record.profile and one.not_after > record.not_after for one in others)


def _cas(cas: Sequence[CAState], begin: int, end: int, due: Due) -> None:
    for state in cas:
        if state.record.state == "active" and begin <= epoch(state.not_after) < end:
            due.add(Ending("ca", state.record.name, state.record.purpose, state.not_after))


def _lists(authority: Authority, cas: Sequence[CAState], marks: Mapping[str, int], due: Due) -> None:
    for state in cas:
        if state.crl is None or state.not_after <= due.at or state.record.state == "revoked":
            continue
        ends = moment(state.crl.next_update)
        late = due.at - moment(state.crl.this_update) >= 2 * authority.rules.crl_refresh
        old = late if state.key_here else due.at >= list_due_at(authority, state.crl, key_here=False)
        ended = ends <= due.at
        topics = [f"list {word} {state.record.name}" for word, so in (("ended", ended), ("old", old)) if so]
        new = [topic for topic in topics if marks.get(topic, -1) < state.crl.number]
        due.marks |= dict.fromkeys(new, state.crl.number)
        if new:
            why = "has ended" if ended else "was not replaced in time"
            why += "" if state.key_here else ", the CA's key is not here"
            due.add(Ending("list", state.record.name, f"number {state.crl.number} {why}", ends))
