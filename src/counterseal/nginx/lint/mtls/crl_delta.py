"""A delta that nginx takes for a whole list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.lists import deltas
from counterseal.nginx.lint.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.lint.rule import Found


def check(configuration: Configuration) -> Iterator[Found]:
    """Find them where clients are verified."""
    for crl, file in configuration.client_lists:
        yield from deltas(crl, file, "<client-ca.crl>")


RULE = Rule(
    code="mtls-crl-delta",
    severity=Severity.CRITICAL,
    summary="A revocation list holds only what has changed since another one.",
    evidence="OpenSSL took a delta for a full list, critical indicator or not: who had been revoked before it got 200, "
    "also where the full list stood in the file beside the newer delta. OpenSSL 3.0.22 and 3.5.9 pass over it: with a "
    "delta alone nobody gets in, 3, unable to get certificate CRL.",
    remedy="give nginx the full list",
    reference="https://www.rfc-editor.org/rfc/rfc5280#section-5.2.4",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
