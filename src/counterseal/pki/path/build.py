"""Building paths: from an end entity by issuer names up to the trust anchors (RFC 5280 6.1, RFC 4158).

Every path that the given certificates allow is found, the most promising first: by key identifier, trust, dates, and
signatures that verify. The work is bounded whatever is given: signatures are verified once per pair, no path passes the
same name and key twice (RFC 4158 5.2), and the search ends after a fixed number of steps, which is then said.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from counterseal.pki import der
from counterseal.pki.path.signature import signature_fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from counterseal.pki.path.candidate import Candidate

MAX_STEPS = 2_000
"""Certificates that a search looks at, over all paths."""
MAX_SIGNATURES = 500
"""Signatures that a search verifies; each is 0.1 ms or so."""
MAX_LENGTH = 32
"""Certificates of one path, both ends included; the longest in use have five."""


@dataclass(frozen=True, slots=True)
class Path:
    """Certificates that name each other as issuers, end entity first; the last one is the anchor when there is one.

    ``faults[i]`` says why the signature of certificate i was not verified by the one above it, None when it was.
    """

    members: tuple[Candidate, ...]
    faults: tuple[str | None, ...]

    @property
    def end_entity(self) -> Candidate:
        """The certificate that was asked about."""
        return self.members[0]

    @property
    def authorities(self) -> Iterator[tuple[int, Candidate]]:
        """Everything above the end entity, with its position."""
        return enumerate(self.members[1:], start=1)

    @property
    def anchored(self) -> bool:
        """Whether the path ends in a trust anchor."""
        return self.members[-1].anchor


class Search:
    """All certificates at hand, and what was found out about pairs of them."""

    def __init__(self, members: Sequence[Candidate], at: datetime) -> None:
        self.members = members
        self.at = at
        self.steps = 0
        self.exhausted = False
        self._faults: dict[tuple[int, int], str | None] = {}
        self._by_identifier: dict[bytes, Sequence[Candidate]] = {}

    @cached_property
    def _by_subject(self) -> Mapping[object, Sequence[Candidate]]:
        groups: dict[object, list[Candidate]] = {}
        for member in self.members:
            groups.setdefault(member.subject_key, []).append(member)
        return groups

    def paths(self, end_entity: Candidate) -> Iterator[Path]:
        """Yield the paths from ``end_entity``, the most promising first; a dead end is yielded too."""
        yield from self._extend((end_entity,), ())

    def count(self, *, anchors: bool) -> int:
        """Return how many of the certificates are anchors, or are not."""
        return sum(member.anchor is anchors for member in self.members)

    def fault(self, subject: Candidate, issuer: Candidate) -> str | None:
        """Return why the signature does not verify, looked up when this pair was seen before."""
        pair = (id(subject), id(issuer))
        if pair not in self._faults:
            if len(self._faults) >= MAX_SIGNATURES:
                self.exhausted = True
                return "not verified: too many certificates of this name"
            self._faults[pair] = signature_fault(subject, issuer)
        return self._faults[pair]

    def _extend(self, members: tuple[Candidate, ...], faults: tuple[str | None, ...]) -> Iterator[Path]:
        self.steps += 1
        if members[-1].anchor:
            yield Path(members, faults)
            return
        dead_end = True
        for issuer in self._issuers(members):
            dead_end = False
            yield from self._extend((*members, issuer), (*faults, self.fault(members[-1], issuer)))
            if self.exhausted:
                return
        if dead_end:
            yield Path(members, faults)

    def _issuers(self, members: tuple[Candidate, ...]) -> Iterator[Candidate]:
        """Yield the issuers of the last member whose key verifies; where none does, the likeliest of the others."""
        named = self._likeliest_first(members)
        if len(members) >= MAX_LENGTH or self.steps >= MAX_STEPS:
            self.exhausted |= next(named, None) is not None
            return
        likeliest, verified = None, False
        for issuer in named:
            likeliest = likeliest or issuer
            if self.fault(members[-1], issuer) is None:
                verified = True
                yield issuer
        if likeliest is not None and not verified:
            yield likeliest

    def _likeliest_first(self, members: tuple[Candidate, ...]) -> Iterator[Candidate]:
        """Yield who may have issued the last member: those with the key identifier that it names before all others."""
        last = members[-1]
        identifier = last.authority_key_identifier
        if identifier is not None:
            of_the_key = self._with_identifier(identifier)
            yield from self._ranked(members, (one for one in of_the_key if last.names_issuer(one)))
        if last.issuer_key is not None:
            of_the_name = self._by_subject.get(last.issuer_key, [])
            others = (one for one in of_the_name if identifier is None or one.subject_key_identifier != identifier)
            yield from self._ranked(members, others)

    def _with_identifier(self, identifier: bytes) -> Sequence[Candidate]:
        """Return those with a subject key identifier; who does not hold its octets is not read (RFC 5280 4.2.1.2)."""
        if identifier not in self._by_identifier:
            octets = der.octet_string(identifier)
            self._by_identifier[identifier] = [
                one for one in self.members if octets in one.encoded and one.subject_key_identifier == identifier
            ]
        return self._by_identifier[identifier]

    def _ranked(self, members: tuple[Candidate, ...], issuers: Iterable[Candidate]) -> list[Candidate]:
        """Return those that are not on the path already, the most promising first."""
        found = [issuer for issuer in issuers if not any(map(issuer.is_same_authority, members))]
        if len(found) > 1:
            found.sort(key=lambda issuer: self._rank(members[-1], issuer))
        return found

    def _rank(self, subject: Candidate, issuer: Candidate) -> tuple[bool, bool, bool, float]:
        return (
            not identifiers_agree(subject, issuer),
            not issuer.anchor,
            not is_sound(issuer, self.at),
            -issuer.certificate.not_valid_after_utc.timestamp(),
        )


def identifiers_agree(subject: Candidate, issuer: Candidate) -> bool:
    """Whether the key identifiers do not speak against the pair (RFC 5280 4.2.1.1); absent ones do not."""
    named, own = subject.authority_key_identifier, issuer.subject_key_identifier
    return named is None or own is None or named == own


def is_sound(issuer: Candidate, at: datetime) -> bool:
    """Whether a certificate may stand above others as far as it says itself: its dates, and that it is a CA."""
    certificate = issuer.certificate
    return issuer.is_ca and certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
