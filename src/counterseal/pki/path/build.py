"""Building paths: from an end entity by issuer names up to the trust anchors (RFC 5280 6.1, RFC 4158).

Every path that the given certificates allow is found, the most promising first: by key identifier, trust, dates, and
signatures that verify. The work is bounded whatever is given: signatures are verified once per pair, no path passes the
same name and key twice (RFC 4158 5.2), and the search ends after a fixed number of steps, which is then said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.pki.path.signature import signature_fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
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
        return ((position, member) for position, member in enumerate(self.members) if position)

    @property
    def anchored(self) -> bool:
        """Whether the path ends in a trust anchor."""
        return self.members[-1].anchor


@dataclass(slots=True)
class Search:
    """All certificates at hand, and what was found out about pairs of them."""

    members: Sequence[Candidate]
    at: datetime
    steps: int = 0
    exhausted: bool = False
    _by_subject: dict[object, list[Candidate]] = field(default_factory=dict)
    _faults: dict[tuple[int, int], str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for member in self.members:
            self._by_subject.setdefault(member.subject_key, []).append(member)

    def paths(self, end_entity: Candidate) -> Iterator[Path]:
        """Yield the paths from ``end_entity``, the most promising first; a dead end is yielded too."""
        yield from self._extend((end_entity,), ())

    def named(self, subject: Candidate) -> list[Candidate]:
        """Return the certificates whose subject is the issuer of ``subject``."""
        return [] if subject.issuer_key is None else self._by_subject.get(subject.issuer_key, [])

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
        last = members[-1]
        named = [issuer for issuer in self.named(last) if not any(map(issuer.is_same_authority, members))]
        if len(named) > 1:
            named.sort(key=lambda issuer: self._rank(last, issuer))
        if len(members) >= MAX_LENGTH or self.steps >= MAX_STEPS:
            self.exhausted |= bool(named)
            return
        verified = False
        for issuer in named:
            if self.fault(last, issuer) is None:
                verified = True
                yield issuer
        if named and not verified:
            yield named[0]

    def _rank(self, subject: Candidate, issuer: Candidate) -> tuple[bool, bool, bool, float]:
        return (
            not identifiers_agree(subject, issuer),
            not issuer.anchor,
            not is_sound(issuer, self.at),
            -issuer.certificate.not_valid_after_utc.timestamp(),
        )


def identifiers_agree(subject: Candidate, issuer: Candidate) -> bool:
    """Whether the key identifiers do not speak against the pair (RFC 5280 4.2.1.1); absent ones do not."""
    named = subject.value(x509.AuthorityKeyIdentifier)
    own = issuer.subject_key_identifier
    if named is None or named.key_identifier is None or own is None:
        return True
    return named.key_identifier == own


def is_sound(issuer: Candidate, at: datetime) -> bool:
    """Whether a certificate may stand above others as far as it says itself: its dates, and that it is a CA."""
    certificate = issuer.certificate
    return issuer.is_ca and certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
