"""Rules about the form of a certificate: which extensions it has, which of them are critical, and what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.pki.lint.linted import Linted, error, low, note, warning
from counterseal.pki.subject import subject_faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.findings import Finding
    from counterseal.pki.lint.linted import Rule

_NEVER_CRITICAL: dict[type[x509.ExtensionType], str] = {
    x509.AuthorityKeyIdentifier: "authorityKeyIdentifier (RFC 5280 4.2.1.1)",
    x509.SubjectKeyIdentifier: "subjectKeyIdentifier (RFC 5280 4.2.1.2)",
    x509.AuthorityInformationAccess: "authorityInfoAccess (RFC 5280 4.2.2.1)",
    x509.SubjectInformationAccess: "subjectInfoAccess (RFC 5280 4.2.2.2)",
    x509.FreshestCRL: "freshestCRL (RFC 5280 4.2.1.15)",
}
_ALWAYS_CRITICAL: dict[type[x509.ExtensionType], str] = {
    x509.NameConstraints: "nameConstraints (RFC 5280 4.2.1.10)",
    x509.PolicyConstraints: "policyConstraints (RFC 5280 4.2.1.11)",
    x509.InhibitAnyPolicy: "inhibitAnyPolicy (RFC 5280 4.2.1.14)",
}


def version(linted: Linted) -> Iterator[Finding]:
    """The certificate is of version 3: without extensions nobody can tell what it is for (RFC 5280 4.1.2.1)."""
    if linted.certificate.version is not x509.Version.v3:
        yield warning("lint.version", "certificate of version 1: it has no extensions, and may be taken for a CA")


def subject_values(linted: Linted) -> Iterator[Finding]:
    """Every attribute of the subject is within its length and its characters (RFC 5280 appendix A)."""
    for fault in subject_faults(linted.subject):
        yield warning("lint.subject_value", fault)


def alternative_names_present(linted: Linted) -> Iterator[Finding]:
    """A subject alternative name extension holds at least one name (RFC 5280 4.2.1.6)."""
    if linted.extension(x509.SubjectAlternativeName) is not None and not linted.names:
        yield error("lint.names_empty", "the subject alternative name extension is empty")


def alternative_names_once(linted: Linted) -> Iterator[Finding]:
    """No subject alternative name stands twice."""
    if len(set(linted.names)) != len(linted.names):
        yield low("lint.names_repeated", "a subject alternative name stands twice")


def alternative_names_critical(linted: Linted) -> Iterator[Finding]:
    """Beside a subject the subject alternative name is not critical (RFC 5280 4.2.1.6)."""
    extension = linted.extension(x509.SubjectAlternativeName)
    if extension is not None and extension.critical and linted.subject.rdns:
        yield note("lint.names_critical", "the subject alternative name is critical although there is a subject")


def never_critical(linted: Linted) -> Iterator[Finding]:
    """Extensions that only help to find things are not critical (RFC 5280 4.2.1.1, 4.2.1.2, 4.2.1.15, 4.2.2)."""
    for kind, name in _NEVER_CRITICAL.items():
        extension = linted.extension(kind)
        if extension is not None and extension.critical:
            yield warning("lint.critical", f"must not be critical: {name}")


def always_critical(linted: Linted) -> Iterator[Finding]:
    """Extensions that restrict are critical, so that nobody passes over them (RFC 5280 4.2.1.10, .11, .14)."""
    for kind, name in _ALWAYS_CRITICAL.items():
        extension = linted.extension(kind)
        if extension is not None and not extension.critical:
            yield warning("lint.not_critical", f"must be critical: {name}")


def unknown_critical(linted: Linted) -> Iterator[Finding]:
    """No critical extension is unknown: whoever verifies the certificate refuses it then (RFC 5280 4.2)."""
    if linted.value(x509.UnrecognizedExtension) is None:
        return
    for extension in linted.certificate.extensions:
        if extension.critical and isinstance(extension.value, x509.UnrecognizedExtension):
            yield error("lint.unknown_critical", f"unknown critical extension: {extension.oid.dotted_string}")


def subject_key_identifier_present(linted: Linted) -> Iterator[Finding]:
    """A CA has a subject key identifier, by which its certificates and lists find it (RFC 5280 4.2.1.2)."""
    if linted.is_ca and linted.value(x509.SubjectKeyIdentifier) is None:
        yield warning("lint.ski_missing", "a CA without subject key identifier")


def authority_key_identifier_form(linted: Linted) -> Iterator[Finding]:
    """The authority key identifier names the key alone: with issuer and serial it breaks when the CA is renewed.

    One of the two without the other is wrong in any case (RFC 5280 4.2.1.1).
    """
    identifier = linted.value(x509.AuthorityKeyIdentifier)
    if identifier is None:
        return
    if identifier.key_identifier is None:
        yield warning("lint.aki_form", "authority key identifier without a key identifier")
    if identifier.authority_cert_serial_number is not None and not _self_issued(linted):
        yield low("lint.aki_form", "authority key identifier with issuer and serial: breaks when the CA is renewed")


def key_usage_form(linted: Linted) -> Iterator[Finding]:
    """Key usage is critical and names at least one usage (RFC 5280 4.2.1.3)."""
    extension = linted.extension(x509.KeyUsage)
    if extension is None:
        return
    if not extension.critical:
        yield low("lint.key_usage_critical", "keyUsage is not critical")
    if extension.value == _NO_USAGE:
        yield warning("lint.key_usage_empty", "keyUsage names no usage")


def crl_signing(linted: Linted) -> Iterator[Finding]:
    """A CA may sign its revocation lists: without cRLSign nginx refuses every client once ssl_crl is set."""
    usage = linted.value(x509.KeyUsage)
    if linted.is_ca and usage is not None and usage.key_cert_sign and not usage.crl_sign:
        yield warning("lint.crl_sign", "a CA without cRLSign: nginx refuses every client under it once ssl_crl is set")


def constraints_of_ca(linted: Linted) -> Iterator[Finding]:
    """Name constraints stand in CA certificates only (RFC 5280 4.2.1.10)."""
    if not linted.is_ca and linted.value(x509.NameConstraints) is not None:
        yield warning("lint.constraints_of_ca", "name constraints in a certificate that is no CA")


def _self_issued(linted: Linted) -> bool:
    return linted.certificate.issuer == linted.subject


_NO_USAGE = x509.KeyUsage(False, False, False, False, False, False, False, False, False)

FORM_RULES: tuple[Rule, ...] = (
    version,
    subject_values,
    alternative_names_present,
    alternative_names_once,
    alternative_names_critical,
    never_critical,
    always_critical,
    unknown_critical,
    subject_key_identifier_present,
    authority_key_identifier_form,
    key_usage_form,
    crl_signing,
    constraints_of_ca,
)
