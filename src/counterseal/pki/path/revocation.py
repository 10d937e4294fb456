"""Revocation by CRL: which list speaks for a certificate, whether it may be believed, and what it says (RFC 5280 6.3).

Full lists of the issuer itself only: indirect lists and those for some reasons are refused, as OpenSSL does; deltas,
which OpenSSL takes for full lists, are refused too.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.duration import show_duration
from counterseal.moments import show_moment
from counterseal.pki.path import catalogue
from counterseal.pki.path.check import failed, lapsed, passed, skipped
from counterseal.pki.path.crl_scope import UNREADABLE, covers, is_followed, scope_of
from counterseal.pki.shown import show_serial

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counterseal.pki.path.build import Path
    from counterseal.pki.path.candidate import Candidate
    from counterseal.pki.path.check import Check
    from counterseal.pki.path.question import Question
    from counterseal.pki.path.revocation_list import RevocationList

_DELTA_INDICATOR = "2.5.29.27"
_UNDERSTOOD = frozenset({"2.5.29.20", "2.5.29.28", "2.5.29.35"})  # number, issuing distribution point, AKI


def revocation_lists(path: Path, question: Question) -> Iterator[Check]:
    """Every certificate below the anchor is on no list of its issuer, and there is such a list (RFC 5280 6.3.3)."""
    if question.crls is None:
        if not question.ocsp:
            yield skipped(catalogue.REVOCATION, None, "not looked at", hint="give the lists of the CAs with --crl")
        return
    for position, (subject, issuer) in enumerate(pairwise(path.members)):
        judged = [
            (one, tuple(_judge(position, one, subject, issuer, question)))
            for one in question.crls
            if one.issuer_key is not None and one.issuer_key == issuer.subject_key
        ]
        if not judged:
            text = f"no list of {issuer.name} among the {len(question.crls)} given"
            yield failed(catalogue.CRL, position, text)
            continue
        best, checks = min(judged, key=_preference)
        yield from checks
        yield _look_up(position, subject, best)


def _preference(judged: tuple[RevocationList, Sequence[Check]]) -> tuple[bool, float]:
    """Order lists: one without fault first, then the newest."""
    one, checks = judged
    return any(check.failed for check in checks), -one.crl.last_update_utc.timestamp()


def _judge(
    position: int, one: RevocationList, subject: Candidate, issuer: Candidate, question: Question
) -> Iterator[Check]:
    """Whether a list of this issuer's name may be believed (RFC 5280 6.3.3 (a) to (g))."""
    crl = one.crl
    faults = [*_origin_faults(one, issuer), *_date_faults(crl, question), *_kind_faults(crl, subject)]
    for fault in faults:
        yield failed(catalogue.CRL, position, f"the list of {issuer.name}: {fault}")
    if not faults:
        left = "" if crl.next_update_utc is None else f", {show_duration(crl.next_update_utc - question.at)} left"
        yield passed(catalogue.CRL, position, "of {}, from {}{}", issuer, crl.last_update_utc, left)
    for lapse in _lapses(crl):
        yield lapsed(catalogue.CRL, position, f"the list of {issuer.name}: {lapse}", question, section="RFC 5280 5.2")


def _origin_faults(one: RevocationList, issuer: Candidate) -> Iterator[str]:
    usage = issuer.value(x509.KeyUsage)
    if usage is not None and not usage.crl_sign:
        yield "the key usage of the CA lacks cRLSign, (f)"
    if not one.is_signed_by(issuer):
        yield "its signature is not by the CA's key, (g)"


def _date_faults(crl: x509.CertificateRevocationList, question: Question) -> Iterator[str]:
    if crl.last_update_utc > question.at:
        yield f"its this_update lies in the future: {show_moment(crl.last_update_utc)}"
    if crl.next_update_utc is not None and crl.next_update_utc < question.at:
        ago = show_duration(question.at - crl.next_update_utc)
        yield f"expired: its next_update was {show_moment(crl.next_update_utc)}, {ago} ago"


def _kind_faults(crl: x509.CertificateRevocationList, subject: Candidate) -> Iterator[str]:
    """Say what makes a list a delta, critical or not, and what else narrows it (RFC 5280 5.2)."""
    try:
        present = {extension.oid.dotted_string: extension.critical for extension in crl.extensions}
    except UNREADABLE as error:
        yield f"its extensions cannot be read: {error}"
        return
    scope = scope_of(crl)
    if _DELTA_INDICATOR in present:
        yield "it is a delta, not a full list"
    elif unknown := [oid for oid, critical in present.items() if critical and oid not in _UNDERSTOOD]:
        yield f"it has unknown critical extensions: {', '.join(unknown)}"
    elif not is_followed(scope):
        yield "it is indirect, or for some reasons only: such lists are not followed"
    elif not covers(scope, subject):
        yield "it is for other certificates (issuing distribution point), (b)(2)"


def _lapses(crl: x509.CertificateRevocationList) -> Iterator[str]:
    try:
        number = crl.extensions.get_extension_for_class(x509.CRLNumber)
    except x509.ExtensionNotFound:
        yield "it has no cRLNumber"
    except UNREADABLE:
        return  # said above
    else:
        if number.critical:
            yield "its cRLNumber is critical"
    if crl.next_update_utc is None:
        yield "it has no next_update"


def _look_up(position: int, subject: Candidate, one: RevocationList) -> Check:
    serial = subject.certificate.serial_number
    try:
        entry = one.entry(serial)
    except UNREADABLE as error:
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
