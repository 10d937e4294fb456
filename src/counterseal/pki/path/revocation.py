"""Revocation by CRL: which list speaks for a certificate, whether it may be believed, and what it says (RFC 5280 6.3).

Full lists of the issuer itself only: indirect lists and those for some reasons are refused, as OpenSSL does; deltas,
which OpenSSL takes for full lists, are refused too.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.duration import show_duration
from counterseal.errors import InputError
from counterseal.moments import show_moment
from counterseal.pki.path import catalogue
from counterseal.pki.path.check import Outcome, failed, lapsed, passed, skipped
from counterseal.pki.path.crl_scope import UNREADABLE, covers
from counterseal.pki.path.words import SHOWN_NAMES
from counterseal.pki.shown import show_serial

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from counterseal.pki.path.build import Path
    from counterseal.pki.path.candidate import Candidate
    from counterseal.pki.path.check import Check
    from counterseal.pki.path.question import Question
    from counterseal.pki.path.revocation_list import RevocationList


def revocation_lists(path: Path, question: Question) -> Iterator[Check]:
    """Every certificate below the anchor is on no list of its issuer, and there is such a list (RFC 5280 6.3.3).

    A CA that is known to be revoked is so, also where the list above it does not say so yet, or it is trusted itself.
    """
    checks = tuple(_listed(path, question))
    yield from checks
    told = {check.position for check in checks if check.failed and check.kind is catalogue.REVOCATION}
    yield from (check for check in _known(path, question) if check.position not in told)


def _listed(path: Path, question: Question) -> Iterator[Check]:
    if question.crls is None:
        if not question.ocsp:
            yield skipped(catalogue.REVOCATION, None, "not looked at", hint="give the lists of the CAs with --crl")
        return
    checks = _by_lists(path, question, question.crls)
    yield from checks if question.lists_demanded else map(_undemanded, checks)


def _known(path: Path, question: Question) -> Iterator[Check]:
    for one in question.revoked:
        for position, member in enumerate(path.members):
            if member.certificate == one.certificate:
                yield failed(catalogue.REVOCATION, position, one.text)


def _undemanded(check: Check) -> Check:
    """Pass over what is wrong with a list that nobody asked for; what stands on it counts all the same."""
    return check._replace(outcome=Outcome.SKIP, hint=None) if check.failed and check.kind is catalogue.CRL else check


def _by_lists(path: Path, question: Question, crls: Sequence[RevocationList]) -> Iterator[Check]:
    for position, (subject, issuer) in enumerate(pairwise(path.members)):
        judged = [
            (one, tuple(_judge(position, one, subject, issuer, question)))
            for one in crls
            if one.issuer_key is not None and one.issuer_key == issuer.subject_key
        ]
        if not judged:
            yield _no_list(position, issuer, crls)
            continue
        best, checks = min(judged, key=_preference)
        yield from checks
        yield _look_up(position, subject, best)


def _no_list(position: int, issuer: Candidate, lists: Sequence[RevocationList]) -> Check:
    """Say of whom there are lists, which may be those of another CA, or of an older one of the same name."""
    names = list(dict.fromkeys(one.name for one in lists))
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    given = f"those given are of {', '.join(names[:SHOWN_NAMES])}{more}" if names else "none is given"
    hint = "give the list of each CA of the path; a CA without one has to publish it, the root included"
    return failed(catalogue.CRL, position, f"no list of {issuer.name}: {given}", hint=hint)


def _preference(judged: tuple[RevocationList, Sequence[Check]]) -> tuple[bool, float]:
    """Order lists: one without fault first, then the newest."""
    one, checks = judged
    return any(check.failed for check in checks), -one.this_update.timestamp()


def _judge(
    position: int, one: RevocationList, subject: Candidate, issuer: Candidate, question: Question
) -> Iterator[Check]:
    """Whether a list of this issuer's name may be believed (RFC 5280 6.3.3 (a) to (g))."""
    faults = tuple(list_faults(one, subject, issuer, at=question.at))
    for fault in faults:
        yield failed(catalogue.CRL, position, f"the list of {issuer.name}: {fault}")
    if not faults:
        yield _believed(position, one, issuer, question)
    for lapse in one.lapses:
        yield lapsed(catalogue.CRL, position, f"the list of {issuer.name}: {lapse}", question, section="RFC 5280 5.2")


def list_faults(one: RevocationList, subject: Candidate, issuer: Candidate, *, at: datetime) -> Iterator[str]:
    """Yield why a list of this issuer's name may not be believed about ``subject`` at this moment."""
    yield from _origin_faults(one, issuer)
    yield from _date_faults(one, at)
    if one.kind_fault is not None:
        yield one.kind_fault
    elif not covers(one.scope, subject):
        yield "it is for other certificates (issuing distribution point), (b)(2)"


def _believed(position: int, one: RevocationList, issuer: Candidate, question: Question) -> Check:
    if one.next_update is None:
        return passed(catalogue.CRL, position, "of {}, from {}", issuer, one.this_update)
    left = one.next_update - question.at
    return passed(catalogue.CRL, position, "of {}, from {}, {} left", issuer, one.this_update, left)


def _origin_faults(one: RevocationList, issuer: Candidate) -> Iterator[str]:
    usage = issuer.value(x509.KeyUsage)
    if usage is not None and not usage.crl_sign:
        yield "the key usage of the CA lacks cRLSign, (f)"
    if not one.is_signed_by(issuer):
        yield "its signature is not by the CA's key, (g)"


def _date_faults(one: RevocationList, at: datetime) -> Iterator[str]:
    if one.this_update > at:
        yield f"its this_update lies in the future: {show_moment(one.this_update)}"
    if one.next_update is not None and one.next_update < at:
        ago = show_duration(at - one.next_update)
        yield f"expired: its next_update was {show_moment(one.next_update)}, {ago} ago"


def _look_up(position: int, subject: Candidate, one: RevocationList) -> Check:
    serial = subject.certificate.serial_number
    try:
        entry = one.entry(serial)
    except (*UNREADABLE, InputError) as error:
        return failed(catalogue.CRL, position, f"the entries of the list cannot be read: {error}")
    if entry is None:
        return passed(catalogue.REVOCATION, position, "serial number {} is not on the list", show_serial(serial))
    when, text = entry.revocation_date_utc, "revoked at {}{}: serial number {}"
    return failed(catalogue.REVOCATION, position, text, when, _reason(entry), show_serial(serial))


def _reason(entry: x509.RevokedCertificate) -> str:
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except (x509.ExtensionNotFound, *UNREADABLE):
        return ""
    return f", {reason.value}"
