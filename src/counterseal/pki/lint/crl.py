"""Rules about certificate revocation lists, of full ones for everything as nginx takes them (RFC 5280 section 5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from counterseal.moments import show_moment
from counterseal.pki.certificate import subject_key_identifier
from counterseal.pki.crl import RevocationReason
from counterseal.pki.crl_reader import CRLFacts, count_reasons, parse_facts, revoked_serials, update_times
from counterseal.pki.extensions import extension_in, read_extensions
from counterseal.pki.lint.linted import error, extension_of, high, low, note, warning
from counterseal.pki.lint.times import time_faults
from counterseal.pki.reading import load_crl
from counterseal.pki.relations import is_signed_by
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from counterseal.findings import Finding

    CRLRule = Callable[["LintedCRL"], Iterable[Finding]]

_SOON = timedelta(days=1)
_TOO_LARGE = 1 << 159  # the first value beyond 20 octets, RFC 5280 5.2.3


@dataclass(frozen=True, slots=True)
class LintedCRL:
    """One list under judgement, at a moment; ``issuer`` is the certificate of its CA when that is known."""

    content: bytes = field(repr=False)
    crl: x509.CertificateRevocationList = field(repr=False)
    facts: CRLFacts
    extensions: x509.Extensions | None
    unreadable: str | None
    at: datetime
    issuer: x509.Certificate | None = None


def lint_crl(content: bytes, *, at: datetime, issuer: x509.Certificate | None = None) -> tuple[Finding, ...]:
    """Return what is wrong with a DER list at the moment ``at``; raises InputError ``crl.malformed``."""
    crl = load_crl(content)
    linted = LintedCRL(content, crl, parse_facts(content), *read_extensions(crl), at, issuer)
    return tuple(finding for rule in CRL_RULES for finding in rule(linted))


def crl_extensions(linted: LintedCRL) -> Iterator[Finding]:
    """Extensions of a list can be read, and none stands twice (RFC 5280 5.2)."""
    if linted.unreadable:
        yield error("lint.crl_extensions", f"the extensions cannot be read: {linted.unreadable}")


def crl_current(linted: LintedCRL) -> Iterator[Finding]:
    """The list is in force now: with an expired one nginx refuses every client (RFC 5280 5.1.2.5, 6.3.3)."""
    begin, end = linted.facts.this_update, linted.facts.next_update
    if linted.at < begin:
        yield high("lint.crl_not_yet_valid", f"not valid before {show_moment(begin)}", "check the clock of its CA")
    if end is not None and linted.at > end:
        yield error(
            "lint.crl_expired",
            f"expired on {show_moment(end)}: nginx refuses every client while it is in ssl_crl",
            "publish a new one: counterseal crl, or for deployed sites counterseal refresh",
        )
    elif end is not None and linted.at > end - _SOON:
        yield warning("lint.crl_expires_soon", f"expires on {show_moment(end)}", "publish a new one")


def crl_next_update(linted: LintedCRL) -> Iterator[Finding]:
    """A list says when the next one comes, after its own date (RFC 5280 5.1.2.5)."""
    begin, end = linted.facts.this_update, linted.facts.next_update
    if end is None:
        yield warning("lint.crl_next_update", "next update is missing: nobody can tell when the list is too old")
    elif end <= begin:
        yield error("lint.crl_next_update", f"next update {end:%Y-%m-%d %H:%M} is not after this update")


def crl_date_encoding(linted: LintedCRL) -> Iterator[Finding]:
    """Dates of a list are UTCTime through 2049 and GeneralizedTime from 2050 on (RFC 5280 5.1.2.4)."""
    for fault in time_faults(update_times(linted.content)):
        yield warning("lint.crl_date_encoding", fault)


def crl_number(linted: LintedCRL) -> Iterator[Finding]:
    """A list has a number, not critical, of at most 20 octets (RFC 5280 5.2.3)."""
    number = linted.facts.number
    if number is None:
        yield warning("lint.crl_number", "CRL number is missing: an older list cannot be told from a newer one")
    elif not 0 <= number < _TOO_LARGE:
        yield warning("lint.crl_number", f"CRL number is negative or longer than 20 octets: {number}")
    for extension in linted.extensions or ():
        if isinstance(extension.value, x509.CRLNumber) and extension.critical:
            yield warning("lint.crl_number", "CRL number must not be critical")


def crl_authority_key_identifier(linted: LintedCRL) -> Iterator[Finding]:
    """A list has an authority key identifier, that of its issuer's key (RFC 5280 5.2.1)."""
    identifier = linted.facts.authority_key_identifier
    if identifier is None:
        yield warning("lint.crl_aki", "authority key identifier is missing")
        return
    try:
        own = subject_key_identifier(linted.issuer).digest if linted.issuer else identifier
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension):
        return
    if identifier != own:
        yield error("lint.crl_aki", "authority key identifier is not the issuer's subject key identifier")


def crl_issuer(linted: LintedCRL) -> Iterator[Finding]:
    """A list names its issuer (RFC 5280 5.1.2.3), and that CA may sign lists (cRLSign, RFC 5280 4.2.1.3)."""
    if not linted.facts.issuer.rdns:
        yield error("lint.crl_issuer", "the issuer's name is empty")
    usage = extension_of(linted.issuer, x509.KeyUsage) if linted.issuer else None
    if linted.issuer is not None and usage is not None and not usage.value.crl_sign:
        yield error("lint.crl_sign", f"the issuer may not sign lists: {show_subject(linted.issuer.subject)}")


def crl_signature(linted: LintedCRL) -> Iterator[Finding]:
    """The signature of a list verifies with the key of its issuer (RFC 5280 6.3.3 g)."""
    if linted.issuer is not None and not is_signed_by(linted.crl, linted.issuer):
        yield error(
            "lint.crl_signature", f"the signature does not verify with the key of {show_subject(linted.issuer.subject)}"
        )


def crl_signature_algorithm(linted: LintedCRL) -> Iterator[Finding]:
    """The signature of a list uses SHA-256 or better."""
    try:
        algorithm = linted.crl.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        oid = linted.crl.signature_algorithm_oid.dotted_string
        yield warning("lint.crl_signature_weak", f"unknown signature algorithm: {oid}")
        return
    if algorithm is not None and algorithm.name in {"md5", "sha1", "sha224"}:
        yield error("lint.crl_signature_weak", f"signed with a broken hash: {algorithm.name}")


def crl_complete(linted: LintedCRL) -> Iterator[Finding]:
    """A list for nginx is full: no delta, not indirect, and without a scope (RFC 5280 5.2.4, 5.2.5)."""
    if extension_in(linted.extensions, x509.DeltaCRLIndicator) is not None:
        yield high("lint.crl_delta", "a delta CRL: nginx does not use it", "publish full lists")
    scope = extension_in(linted.extensions, x509.IssuingDistributionPoint)
    if scope is None:
        return
    if scope.indirect_crl or scope.only_some_reasons:
        yield high("lint.crl_partial", "an indirect list, or one for some reasons only: nginx does not use it")
    if scope.only_contains_user_certs or scope.only_contains_ca_certs or scope.only_contains_attribute_certs:
        yield note("lint.crl_partial", "the list covers certificates of one kind only")


def crl_entries(linted: LintedCRL) -> Iterator[Finding]:
    """No serial number stands twice in a list."""
    repeated = linted.facts.count - len(revoked_serials(linted.content))
    if repeated:
        yield warning("lint.crl_repeated", f"{repeated} serial numbers stand in the list more than once")


def crl_reasons(linted: LintedCRL) -> Iterator[Finding]:
    """removeFromCRL is for delta lists only, and unspecified is better left out (RFC 5280 5.3.1)."""
    reasons = count_reasons(linted.content)
    if reasons.get(RevocationReason.REMOVE_FROM_CRL) and not extension_in(linted.extensions, x509.DeltaCRLIndicator):
        yield warning("lint.crl_reason", "an entry says removeFromCRL, which means nothing in a full list")
    if reasons.get(RevocationReason.UNSPECIFIED):
        yield low(
            "lint.crl_reason", f"{reasons[RevocationReason.UNSPECIFIED]} entries say unspecified: better left out"
        )


CRL_RULES: tuple[CRLRule, ...] = (
    crl_extensions,
    crl_current,
    crl_next_update,
    crl_date_encoding,
    crl_number,
    crl_authority_key_identifier,
    crl_issuer,
    crl_signature,
    crl_signature_algorithm,
    crl_complete,
    crl_entries,
    crl_reasons,
)
