"""Rules about certification requests, before anybody is asked to sign them (RFC 2986)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import AttributeOID, ExtendedKeyUsageOID

from counterseal.pki.csr import EXTENSION_REQUESTS, PSS_ALONE, PSS_HINT, is_for_pss
from counterseal.pki.describe.csr import signature_verifies
from counterseal.pki.extensions import UNREADABLE, extension_in, read_extensions
from counterseal.pki.keys import weaknesses
from counterseal.pki.lint.linted import error, high, low, warning
from counterseal.pki.lint.names import misspelt
from counterseal.pki.subject import common_name, subject_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from counterseal.findings import Finding

    CSRRule = Callable[["LintedCSR"], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class LintedCSR:
    """One request under judgement, its parts read once; a subject that cannot be read is None."""

    request: x509.CertificateSigningRequest
    subject: x509.Name | None
    attributes: tuple[str, ...]
    extensions: x509.Extensions | None
    unreadable: str | None

    @property
    def names(self) -> tuple[x509.GeneralName, ...]:
        """The subject alternative names asked for."""
        return tuple(extension_in(self.extensions, x509.SubjectAlternativeName) or ())


def lint_csr(request: x509.CertificateSigningRequest) -> tuple[Finding, ...]:
    """Return what is wrong with a request; what a profile grants of it is for the policy."""
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # the findings say the same in words
        linted = _read(request)
        return tuple(finding for rule in CSR_RULES for finding in rule(linted))


def _read(request: x509.CertificateSigningRequest) -> LintedCSR:
    try:
        subject, attributes = request.subject, tuple(one.oid.dotted_string for one in request.attributes)
    except UNREADABLE:
        subject, attributes = None, ()
    return LintedCSR(request, subject, attributes, *read_extensions(request))


def csr_readable(linted: LintedCSR) -> Iterator[Finding]:
    """Subject, attributes and extensions of a request can be read, and it asks for extensions once (RFC 2985 5.4.2)."""
    if linted.subject is None or linted.unreadable:
        yield error(
            "lint.csr_unreadable", f"the request cannot be read: {linted.unreadable or 'subject or attributes'}"
        )
    asked = sum(oid in EXTENSION_REQUESTS for oid in linted.attributes)
    if asked > 1:
        yield error("lint.csr_unreadable", f"asks for extensions {asked} times: two readers could see different names")


def csr_signature(linted: LintedCSR) -> Iterator[Finding]:
    """A request is signed by its own key, which proves that the sender has it (RFC 2986 3)."""
    if not signature_verifies(linted.request):
        yield error("lint.csr_signature", "the signature does not verify with the request's own key", "make it again")


def csr_signature_algorithm(linted: LintedCSR) -> Iterator[Finding]:
    """The signature of a request uses SHA-256 or better."""
    try:
        algorithm = linted.request.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        algorithm = None
    if algorithm is not None and algorithm.name in {"md5", "sha1", "sha224"}:
        yield warning("lint.csr_signature_weak", f"signed with a broken hash: {algorithm.name}")


def csr_key(linted: LintedCSR) -> Iterator[Finding]:
    """The key of a request is of a suitable kind and strong enough."""
    try:
        yield from weaknesses(linted.request.public_key())
        if is_for_pss(linted.request):
            yield error("lint.key", f"the public key cannot be used: {PSS_ALONE}", PSS_HINT)
    except (ValueError, UnsupportedAlgorithm) as reason:
        yield error("lint.key", f"the public key cannot be used: {reason}")


def csr_subject(linted: LintedCSR) -> Iterator[Finding]:
    """Every attribute of the subject asked for is within its length and its characters (RFC 5280 appendix A)."""
    for fault in subject_faults(linted.subject) if linted.subject is not None else ():
        yield warning("lint.csr_subject", fault)


def csr_names(linted: LintedCSR) -> Iterator[Finding]:
    """A request names whom it is for, a server in the subject alternative name: the common name counts no more."""
    if linted.names or linted.extensions is None:
        return
    usages = extension_in(linted.extensions, x509.ExtendedKeyUsage) or ()
    common = common_name(linted.subject) if linted.subject is not None else None
    if linted.subject is not None and not linted.subject.rdns:
        yield high("lint.csr_names", "the request names nobody: no subject and no subject alternative name")
    elif ExtendedKeyUsageOID.SERVER_AUTH in usages or (common is not None and "." in common):
        yield warning(
            "lint.csr_names",
            "no subject alternative name: clients ignore the common name of a server",
            "openssl req -addext subjectAltName=DNS:NAME, or name it on signing: counterseal sign --san NAME",
        )


def csr_name_syntax(linted: LintedCSR) -> Iterator[Finding]:
    """Every name asked for has the strict syntax of its kind (RFC 5280 4.2.1.6)."""
    for reason in misspelt(linted.names):
        yield high("lint.csr_name_syntax", reason.message, reason.hint)


def csr_wants_ca(linted: LintedCSR) -> Iterator[Finding]:
    """A request does not ask to become a CA; a profile for end entities does not grant it anyway."""
    constraints = extension_in(linted.extensions, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        yield warning("lint.csr_wants_ca", "the request asks for a CA certificate")


def csr_challenge_password(linted: LintedCSR) -> Iterator[Finding]:
    """A request carries no challenge password: it would be a secret for all to read (RFC 2985 5.4.1)."""
    if AttributeOID.CHALLENGE_PASSWORD.dotted_string in linted.attributes:
        yield low("lint.csr_challenge_password", "a challenge password stands in the request for all to read")


CSR_RULES: tuple[CSRRule, ...] = (
    csr_readable,
    csr_signature,
    csr_signature_algorithm,
    csr_key,
    csr_subject,
    csr_names,
    csr_name_syntax,
    csr_wants_ca,
    csr_challenge_password,
)
