"""The entrance: one certificate, the others at hand, the anchors, and a question; the answer is every check made.

The verdict is that of the checks. A path is valid when none of them failed, the certificate when one path is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.pki.path import catalogue, chaining, constrained, identity, ocsp, own, policies, revocation, usage
from counterseal.pki.path.build import Path, Search
from counterseal.pki.path.candidate import Candidate
from counterseal.pki.path.check import Check, Outcome, failed, passed, warned
from counterseal.pki.path.question import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from cryptography import x509
    from cryptography.x509.ocsp import OCSPResponse

    from counterseal.pki.path.candidate import Given
    from counterseal.pki.path.question import Revoked
    from counterseal.pki.path.revocation_list import RevocationList
    from counterseal.pki.profile import Purpose

    Rule = Callable[[Path, Question], Iterator[Check]]

MAX_PATHS = 64
"""Paths that are checked; after them the search is said to be incomplete."""
_SHOWN_DEAD_ENDS = 4

RULES: tuple[Rule, ...] = (
    chaining.signatures,
    chaining.issuer_names,
    chaining.key_identifiers,
    own.validity,
    own.extensions,
    own.version,
    own.serial_number,
    own.critical_extensions,
    own.key_strength,
    own.signature_algorithm,
    usage.basic_constraints,
    usage.path_length,
    usage.key_usage,
    usage.extended_key_usage,
    constrained.name_constraints,
    policies.policies,
    constrained.subject_alternative_name,
    identity.names,
    chaining.depth,
    revocation.revocation_lists,
    ocsp.responses,
)


@dataclass(frozen=True, slots=True)
class PathReport:
    """One path that was tried, end entity first, and every check on it."""

    certificates: tuple[x509.Certificate, ...]
    anchored: bool
    checks: tuple[Check, ...]

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that make the path invalid."""
        return tuple(check for check in self.checks if check.failed)

    @property
    def warnings(self) -> tuple[Check, ...]:
        """The checks that found something odd."""
        return tuple(check for check in self.checks if check.outcome is Outcome.WARN)

    @property
    def valid(self) -> bool:
        """Whether no check failed."""
        return Outcome.FAIL not in [check.outcome for check in self.checks]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The paths that were tried; ``paths[0]`` is the valid one, or the one that came nearest."""

    question: Question
    paths: tuple[PathReport, ...]

    @property
    def best(self) -> PathReport:
        """The valid path, else the one with the fewest failures, anchored ones first."""
        return self.paths[0]

    @property
    def valid(self) -> bool:
        """Whether the certificate is valid for what was asked."""
        return self.best.valid


def explain(
    end_entity: Given,
    intermediates: Sequence[Given],
    anchors: Sequence[Given],
    *,
    purpose: Purpose,
    at: datetime,
    names: Sequence[x509.GeneralName] = (),
    crls: Sequence[RevocationList] | None = None,
    lists_demanded: bool = True,
    revoked: Sequence[Revoked] = (),
    depth: int | None = None,
    ocsp_responses: Sequence[OCSPResponse] = (),
) -> Explanation:
    """Return every check on every path that was tried, until one was valid; never raises for what certificates hold.

    Certificates may be given as DER, and then those that have nothing to do with the end entity are not even loaded;
    raises InputError ``certificate.malformed`` for octets that it has to load and that are none.

    ``names`` must all be borne by the end entity. ``crls`` None leaves revocation out, an empty list asks for what is
    not there, unless lists are not demanded: then their entries alone count. ``revoked`` are CAs
    known to be so whatever the lists say. Every one of ``ocsp_responses`` must
    answer for the path. ``depth`` is the most intermediates between end entity and anchor.
    """
    lists = None if crls is None else tuple(crls)
    question = Question(purpose, at, tuple(names), lists, depth, tuple(ocsp_responses), lists_demanded, tuple(revoked))
    others = [*map(Candidate, intermediates), *(Candidate(one, anchor=True) for one in anchors)]
    pool = {one.encoded: one for one in others}  # what was sent and is trusted is an anchor
    start = Candidate(end_entity)
    start = pool.pop(start.encoded, start)
    search = Search(tuple(pool.values()), at)
    reports = _try(start, search, question)
    if len(reports) > 1:
        reports.sort(key=lambda report: (not report.valid, not report.anchored, len(report.failures)))
    return Explanation(question, tuple(reports))


def _try(start: Candidate, search: Search, question: Question) -> list[PathReport]:
    """Check paths until one is valid; dead ends only where no path reaches an anchor."""
    reports: list[PathReport] = []
    dead_ends: list[Path] = []
    for path in search.paths(start):
        if not path.anchored:
            dead_ends.append(path)
            continue
        reports.append(_check(path, search, question))
        if reports[-1].valid:
            return reports
        if len(reports) >= MAX_PATHS:
            search.exhausted = True
            break
    if not reports:
        dead_ends.sort(key=lambda path: -len(path.members))
        reports = [_check(path, search, question) for path in dead_ends[:_SHOWN_DEAD_ENDS]]
    return reports


def _check(path: Path, search: Search, question: Question) -> PathReport:
    checks = [_anchor(path, search)]
    for rule in RULES:
        checks.extend(rule(path, question))
    if search.exhausted:
        checks.append(failed(catalogue.SEARCH, None, f"given up after {search.steps} certificates"))
    return PathReport(tuple(member.certificate for member in path.members), path.anchored, tuple(checks))


def _anchor(path: Path, search: Search) -> Check:
    """Whether the path ends in a trust anchor, or what is missing above its end (RFC 5280 6.1.1 (d))."""
    last, position = path.members[-1], len(path.members) - 1
    if path.anchored and last.self_issued:
        return passed(catalogue.TRUST_ANCHOR, position, "{} is trusted", last)
    if path.anchored:
        text = "{} is trusted, but is no root: curl goes by that, nginx and others look for its issuer"
        return warned(catalogue.TRUST_ANCHOR, position, text, last, hint="for nginx trust the root above it")
    at_hand = f"{search.count(anchors=True)} trusted and {search.count(anchors=False)} other certificates"
    if last.self_issued:
        return failed(
            catalogue.TRUST_ANCHOR,
            position,
            f"self-signed and not trusted: {last.name}, which is none of {at_hand}",
            hint="trust it with --trust if it is yours, or send a chain that ends below a trusted root",
        )
    return failed(catalogue.TRUST_ANCHOR, position, f"no certificate of the issuer {last.issuer_name} among {at_hand}")
