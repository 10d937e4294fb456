"""Every handshake reads the whole list, also one of a stranger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, name_another
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration

LARGE = 100_000


def check(configuration: Configuration) -> Iterator[Found]:
    """Find lists of that size."""
    for crl, file in configuration.client_lists:
        for one in file.crls:
            count = len(one)
            if count >= LARGE:
                message = f"{count} entries are hashed in every handshake: {show_subject(one.issuer)}"
                yield name_another(crl, "<client-ca.crl>", message, decision=_DECISION)


_DECISION = "how the list gets shorter: shorter lifetimes, a CA for fewer clients, or a map of serial numbers"


RULE = Rule(
    code="mtls-crl-large",
    severity=Severity.MEDIUM,
    summary="A revocation list has 100,000 entries or more.",
    evidence="OpenSSL checks the signature over the whole list in every handshake, before it looks at the "
    "certificate: 8.6 ms of CPU with 100,000 entries, 123 ms with a million, for a forged certificate as "
    "for a good one.",
    remedy="issue for shorter times, drop expired serial numbers, or refuse by a map of serial numbers instead",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_crl",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
