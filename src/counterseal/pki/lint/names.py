"""Rules about the names in a certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.errors import InputError
from counterseal.pki.constraints import violated_by
from counterseal.pki.lint.linted import Linted, error, warning
from counterseal.pki.names import check_name, kind_of, show_name
from counterseal.pki.profile import Purpose
from counterseal.pki.subject import common_name, has_control_characters, show_subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from counterseal.findings import Finding
    from counterseal.pki.lint.linted import Rule

_PUBLIC_SUFFIXES = frozenset({"home.arpa"})
"""Of those of several labels the one that is made for private names; the others belong to registries."""


def subject_present(linted: Linted) -> Iterator[Finding]:
    """Without a subject the subject alternative name is there and critical; a CA always has one (RFC 5280 4.1.2.6)."""
    if linted.subject.rdns:
        return
    extension = linted.extension(x509.SubjectAlternativeName)
    if linted.is_ca:
        yield error("lint.subject_empty", "a CA needs a subject")
    elif extension is None or not extension.critical:
        yield error("lint.subject_empty", "the subject is empty and there is no critical subject alternative name")


def control_characters(linted: Linted) -> Iterator[Finding]:
    """No control character stands in the subject."""
    if has_control_characters(linted.subject):
        yield error("lint.control_character", f"control character in the subject: {show_subject(linted.subject)}")


def name_syntax(linted: Linted) -> Iterator[Finding]:
    """Every subject alternative name has the strict syntax of its kind (RFC 5280 4.2.1.6)."""
    for reason in misspelt(linted.names):
        yield error("lint.name_syntax", reason.message, reason.hint)


def misspelt(names: Iterable[x509.GeneralName]) -> Iterator[InputError]:
    """Yield what is wrong with each name that has not the syntax of its kind."""
    for name in names:
        if kind_of(name) == "other":
            continue  # directory names and the like, which only others issue
        try:
            check_name(name)
        except InputError as reason:
            yield reason


def server_has_name(linted: Linted) -> Iterator[Finding]:
    """A server certificate has a DNS or IP subject alternative name: clients ignore the common name (RFC 9525)."""
    usages = linted.value(x509.ExtendedKeyUsage) or ()
    if linted.is_ca or Purpose.SERVER.extended_key_usages[0] not in usages:
        return
    if not any(isinstance(name, x509.DNSName | x509.IPAddress) for name in linted.names):
        yield warning(
            "lint.server_name", "a server certificate without a DNS or IP subject alternative name matches no client"
        )


def common_name_repeated(linted: Linted) -> Iterator[Finding]:
    """The common name of a server certificate is one of its subject alternative names."""
    usages = linted.value(x509.ExtendedKeyUsage) or ()
    common = common_name(linted.subject)
    if linted.is_ca or common is None or not linted.names or Purpose.SERVER.extended_key_usages[0] not in usages:
        return
    if common.lower() not in {str(name.value).lower() for name in linted.names}:
        yield warning("lint.common_name", f"the common name is not among the subject alternative names: {common}")


def wildcard_reach(linted: Linted) -> Iterator[Finding]:
    """Behind a wildcard stand two labels, and not home.arpa alone: otherwise it matches no host.

    OpenSSL, curl, GnuTLS and Firefox ask for two labels, Chromium for one in front of a public suffix, among which
    home.arpa is (RFC 8375).
    """
    for name in linted.names:
        if not isinstance(name, x509.DNSName) or not name.value.startswith("*."):
            continue
        domain = name.value[2:].lower()
        if "." not in domain:
            yield warning(
                "lint.wildcard",
                f"browsers, OpenSSL, curl and GnuTLS match no host with a wildcard before a single label: {name.value}",
                f"name each host, or have a label between, as in *.home.{domain}",
            )
        elif domain in _PUBLIC_SUFFIXES:
            yield warning(
                "lint.wildcard",
                f"Chromium matches no host with a wildcard before a public suffix: {name.value}",
                f"name each host, or have a label between, as in *.lab.{domain}",
            )


def name_constraints(linted: Linted) -> Iterator[Finding]:
    """Every CA of the path permits every name (RFC 5280 4.2.1.10)."""
    for issuer, constraints in linted.above(x509.NameConstraints):
        if constraints is None:
            continue
        for name in violated_by(constraints.value, (*linted.names, x509.DirectoryName(linted.subject))):
            yield error(
                "lint.name_constraint",
                f"{show_name(name)} is outside the names that {show_subject(issuer.subject)} may certify",
                "choose a permitted name, or use a CA without that constraint",
            )


NAME_RULES: tuple[Rule, ...] = (
    subject_present,
    control_characters,
    name_syntax,
    server_has_name,
    common_name_repeated,
    wildcard_reach,
    name_constraints,
)
