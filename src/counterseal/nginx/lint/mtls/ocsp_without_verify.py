"""Asking a responder about certificates that nobody is asked for."""

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
    """Find every ``ssl_ocsp`` that no server uses."""
    for directive, level in find_idle(configuration, "ssl_ocsp"):
        message = f"ssl_ocsp {directive.arguments[0]} without ssl_verify_client"
        yield Found(at(directive), message, verifying(level, directive), decision=DECISION)


RULE = Rule(
    code="mtls-ocsp-without-verify",
    severity=Severity.MEDIUM,
    summary="ssl_ocsp is on, but no client is verified.",
    evidence="nginx ignores ssl_ocsp silently while ssl_verify_client is off: no certificate was requested, "
    "everybody got 200.",
    remedy="add ssl_client_certificate and: ssl_verify_client on;",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_ocsp",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT, Applicability.HAS_PLACEHOLDERS),
)
