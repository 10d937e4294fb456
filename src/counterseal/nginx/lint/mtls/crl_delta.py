"""A delta that nginx takes for a whole list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, name_another
from counterseal.pki.reading import UNREADABLE
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find lists of changes only (RFC 5280 5.2.4), however their indicator is marked."""
    for crl, file in configuration.client_lists:
        for one in file.crls:
            if _is_delta(one):
                yield name_another(
                    crl, "<client-ca.crl>", f"the list of {show_subject(one.issuer)} is a delta", decision=_DECISION
                )


def _is_delta(crl: x509.CertificateRevocationList) -> bool:
    try:
        return any(isinstance(extension.value, x509.DeltaCRLIndicator) for extension in crl.extensions)
    except UNREADABLE:
        return False


_DECISION = "where the full list is"


RULE = Rule(
    code="mtls-crl-delta",
    severity=Severity.CRITICAL,
    summary="A revocation list holds only what has changed since another one.",
    evidence="OpenSSL took a delta for a full list, critical indicator or not: who had been revoked before it got 200, "
    "also where the full list stood in the file beside the newer delta.",
    remedy="give nginx the full list",
    reference="https://www.rfc-editor.org/rfc/rfc5280#section-5.2.4",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
