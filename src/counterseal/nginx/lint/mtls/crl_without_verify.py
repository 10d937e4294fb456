"""A revocation list that is never looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.mtls.idle import DECISION, find_idle, verifying
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find every ``ssl_crl`` that no server uses."""
    for directive, level in find_idle(configuration, "ssl_crl"):
        message = f"revocation list without ssl_verify_client: {directive.arguments[0]}"
        yield Found(at(directive), message, verifying(level, directive), decision=DECISION)


RULE = Rule(
    code="mtls-crl-without-verify",
    severity=Severity.MEDIUM,
    summary="ssl_crl is configured, but no client is verified.",
    evidence="With ssl_verify_client off the list is never consulted: a revoked client got 200, as everybody did.",
    remedy="add ssl_client_certificate and: ssl_verify_client on;",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_crl",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT, Applicability.HAS_PLACEHOLDERS),
)
