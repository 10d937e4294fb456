"""What expires when: every CA, list and site, the certificates that expire next, and how many expire in each period.

However many certificates there are, a handful of rows is read; the others are counted in an index.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.inventory import show_state
from counterseal.authority.renewal import due_at, list_due_at
from counterseal.authority.site_certificate import read_server_certificate
from counterseal.authority.timeline.scale import STEPS
from counterseal.errors import CountersealError
from counterseal.moments import epoch, moment
from counterseal.pki.profile import UNLISTED
from counterseal.store.records import CA_PROFILE, Query, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counterseal.authority.parts import Authority
    from counterseal.authority.served import ServedSite
    from counterseal.store.records import CertificateRecord

_AIR = 1.02  # the axis goes on a little behind the last end
_DRAWN_ELSEWHERE = (*UNLISTED, CA_PROFILE)
_CA_DUE = 0.1
"""The share of a CA's lifetime that is left when a new one should be made."""


class Kind(StrEnum):
    """What a span of time belongs to."""

    CA = "ca"
    CRL = "crl"
    SITE = "site"
    CERTIFICATE = "certificate"


class State(StrEnum):
    """How a span stands now."""

    FINE = "fine"
    DUE = "due"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Span:
    """Something that ends: ``due`` is the moment from which it is to be replaced, None where nobody does that."""

    kind: Kind
    name: str
    note: str
    begin: datetime
    end: datetime
    due: datetime | None
    state: State


@dataclass(frozen=True, slots=True)
class Count:
    """How many valid certificates of a profile expire in each period of the timeline."""

    profile: str
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything that ends, seen at one moment. ``edges`` begin the periods that are counted; the last has no end."""

    at: datetime
    spans: tuple[Span, ...]
    edges: tuple[datetime, ...]
    counts: tuple[Count, ...]

    def of(self, kind: Kind) -> tuple[Span, ...]:
        """Return the spans of one kind."""
        return tuple(span for span in self.spans if span.kind is kind)

    @property
    def total(self) -> int:
        """How many certificates are counted."""
        return sum(count.total for count in self.counts)

    @property
    def horizon(self) -> timedelta:
        """How far the latest of all ends is ahead, a week at least."""
        ends = [span.end for span in self.spans]
        ends += [self.period(number)[1] for count in self.counts for number, many in enumerate(count.counts) if many]
        return max([end - self.at for end in ends] + [timedelta(days=7)]) * _AIR

    def period(self, number: int) -> tuple[datetime, datetime]:
        """Return where a counted period begins and ends; the last, which has no end, as far again as it is away."""
        begin = self.edges[number]
        return begin, self.edges[number + 1] if number + 1 < len(self.edges) else begin + (begin - self.at)


def gather(authority: Authority, sites: Sequence[ServedSite], *, limit: int = 10) -> Timeline:
    """Return what ends when; ``limit`` certificates, those that expire next, are told one by one."""
    at = authority.clock().replace(microsecond=0)
    spans = (*_cas(authority, at), *_lists(authority, at), *_sites(authority, sites, at), *_next(authority, at, limit))
    edges = (at, *(at + step for step in STEPS.values()))
    counts = tuple(
        Count(profile, authority.store.count_valid(profile, [epoch(edge) for edge in edges]))
        for profile in authority.store.profiles()
        if profile not in _DRAWN_ELSEWHERE
    )
    return Timeline(at, spans, edges, tuple(count for count in counts if count.total))


def _cas(authority: Authority, at: datetime) -> Iterator[Span]:
    for record in authority.store.cas():
        certificate = x509.load_der_x509_certificate(record.certificate)
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        note = record.purpose if record.state == "active" else f"{record.purpose}, {show_state(record)}"
        due = due_at(begin, end, share_left=_CA_DUE) if record.state == "active" else end
        yield _span(Kind.CA, record.name, note, begin, end, due, at)


def _lists(authority: Authority, at: datetime) -> Iterator[Span]:
    for record in authority.store.cas():
        crl = authority.store.latest_crl_times(record.name)
        if crl is not None and not authority.signs_no_more(record):
            begin, end = moment(crl.this_update), moment(crl.next_update)
            due = list_due_at(authority, crl, key_here=authority.keystore.has(record.key_id))
            yield _span(Kind.CRL, record.name, f"number {crl.number}", begin, end, due, at)


def _sites(authority: Authority, sites: Sequence[ServedSite], at: datetime) -> Iterator[Span]:
    for one in sites:
        if one.certificate is not None and one.certificate_key is not None:
            yield from _own_certificate(one, at)
            continue
        valid = authority.store.by_name(f"site:{one.site.name}", Status.VALID)
        if valid:  # the newest first: that is the one that is served
            yield _certificate(Kind.SITE, one.site.name, ", ".join(one.site.server_names), valid[0], at)


def _own_certificate(one: ServedSite, at: datetime) -> Iterator[Span]:
    """Yield the user's own file; one that cannot be read is for doctor to tell."""
    assert one.certificate is not None  # noqa: S101 - asked before
    assert one.certificate_key is not None  # noqa: S101 - same
    try:
        certificate = read_server_certificate(one.certificate, one.certificate_key).certificate
    except CountersealError:
        return
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    due = due_at(begin, end)
    yield _span(Kind.SITE, one.site.name, f"your own: {one.certificate}", begin, end, due, at)


def _next(authority: Authority, at: datetime, limit: int) -> Iterator[Span]:
    if not limit:
        return
    query = Query(
        status=Status.VALID, include_expired=False, at=epoch(at), limit=limit, without_profiles=_DRAWN_ELSEWHERE
    )
    for record in authority.store.search(query).records:
        yield _certificate(Kind.CERTIFICATE, record.name, record.profile, record, at)


def _certificate(kind: Kind, name: str, note: str, record: CertificateRecord, at: datetime) -> Span:
    begin, end = moment(record.not_before), moment(record.not_after)
    return _span(kind, name, note, begin, end, due_at(begin, end), at)


def _span(kind: Kind, name: str, note: str, begin: datetime, end: datetime, due: datetime, at: datetime) -> Span:
    state = State.EXPIRED if at > end else State.DUE if at >= due else State.FINE
    return Span(kind, name, note, begin, end, due, state)
