"""Rules for a certificate that is signed and in use: its signature, its encoding, and the moment it is looked at.

A draft has no signature yet, and is encoded by ourselves; so these run on finished certificates only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.moments import show_moment
from counterseal.pki import der, der_reader
from counterseal.pki.lint.linted import Linted, error, high, low, warning
from counterseal.pki.lint.times import time_faults
from counterseal.pki.path.candidate import Candidate
from counterseal.pki.path.signature import signature_fault
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.findings import Finding
    from counterseal.pki.der_reader import Element
    from counterseal.pki.lint.linted import Rule

_UNIQUE_IDENTIFIERS = frozenset({0x81, 0x82, 0xA1, 0xA2})  # [1] and [2] of TBSCertificate
_SOON = 0.1  # of the lifetime


def current(linted: Linted) -> Iterator[Finding]:
    """The certificate is valid now, and for some time to come (RFC 5280 4.1.2.5)."""
    begin, end, at = linted.certificate.not_valid_before_utc, linted.certificate.not_valid_after_utc, linted.at
    if at is None:
        return
    if at > end:
        yield error("lint.expired", f"expired on {show_moment(end)}")
    elif at < begin:
        yield high("lint.not_yet_valid", f"not valid before {show_moment(begin)}", "check the clock of who made it")
    elif end - at < (end - begin) * _SOON:
        yield warning("lint.expires_soon", f"expires on {show_moment(end)}", "renew it")


def signature(linted: Linted) -> Iterator[Finding]:
    """The signature verifies with the key of the issuer (RFC 5280 6.1.3 a)."""
    issuer = linted.issuer or (linted.certificate if linted.certificate.issuer == linted.subject else None)
    fault = signature_fault(Candidate(linted.certificate), Candidate(issuer)) if issuer is not None else None
    if fault is not None and issuer is not None:
        yield error("lint.signature_invalid", f"the signature by {show_subject(issuer.subject)} does not hold: {fault}")


def one_algorithm(linted: Linted) -> Iterator[Finding]:
    """The algorithm that was signed is the one that is named outside (RFC 5280 4.1.1.2)."""
    try:
        outer = der_reader.read(linted.der).children()[1].whole
        fields = _fields(linted)
    except (InputError, IndexError):
        return
    if len(fields) > 1 and fields[1].whole != outer:
        yield error("lint.algorithms", "the signature algorithms inside and outside of the certificate differ")


def date_encoding(linted: Linted) -> Iterator[Finding]:
    """Dates are UTCTime through 2049 and GeneralizedTime from 2050 on, in whole seconds of UTC (RFC 5280 4.1.2.5)."""
    for field in _fields(linted)[3:4]:
        for fault in time_faults(field.children()):
            yield warning("lint.date_encoding", fault)


def unique_identifiers(linted: Linted) -> Iterator[Finding]:
    """There are no issuerUniqueID and subjectUniqueID (RFC 5280 4.1.2.8)."""
    if any(field.tag in _UNIQUE_IDENTIFIERS for field in _fields(linted)):
        yield low("lint.unique_identifier", "unique identifiers are not used any more")


def _fields(linted: Linted) -> list[Element]:
    """Return the fields of TBSCertificate, the version left out; serial number first."""
    try:
        fields = der_reader.read(linted.certificate.tbs_certificate_bytes).expect(der.SEQUENCE).children()
    except InputError:
        return []
    return fields[1:] if fields and fields[0].tag == 0xA0 else fields  # noqa: PLR2004 - [0] Version


FINISHED_RULES: tuple[Rule, ...] = (current, signature, one_algorithm, date_encoding, unique_identifiers)
