"""Two lists, and nobody says which one counts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, name_another
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find issuers with more than one list in a file."""
    for crl, file in configuration.client_lists:
        counts = Counter(one.issuer for one in file.crls)
        for issuer, count in counts.items():
            if count > 1:
                yield name_another(
                    crl, "<client-ca.crl>", f"{count} lists of {show_subject(issuer)}", decision=_DECISION
                )


_DECISION = "which of the lists counts; a file with that one alone"


RULE = Rule(
    code="mtls-crl-duplicate-issuer",
    severity=Severity.MEDIUM,
    summary="Two revocation lists of one CA stand in one file.",
    evidence="OpenSSL takes the one with the newer this update, and of equal ones the first: a revoked client got 200.",
    remedy="keep one list of each CA, the one with the highest CRL number",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_crl",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
