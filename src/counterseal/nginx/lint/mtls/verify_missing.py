"""A client CA is configured, and nobody is asked for a certificate."""

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
    """Find every ``ssl_client_certificate`` that no server uses."""
    for directive, level in find_idle(configuration, "ssl_client_certificate"):
        is_off = bool(level.here("ssl_verify_client"))
        message = f"client CA without ssl_verify_client: {directive.arguments[0]}"
        edits = verifying(level, directive)
        yield Found(at(directive), message, edits, decision=DECISION if is_off else "")


RULE = Rule(
    code="mtls-verify-missing",
    severity=Severity.HIGH,
    summary="A client CA is configured, but ssl_verify_client is off, which is the default.",
    evidence="ssl_client_certificate alone does nothing: every client without a certificate got 200, and nginx -t said "
    "nothing.",
    remedy="add: ssl_verify_client on;",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_verify_client",
    check=check,
    fixes=(Applicability.MACHINE_APPLICABLE, Applicability.MAYBE_INCORRECT),
)
