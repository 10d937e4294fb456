"""A comparison that never comes true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.mtls.verdict_maps import DECISION, find_in_maps
from counterseal.nginx.lint.rule import Found, Rule, Span, at
from counterseal.nginx.lint.verdicts import verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.lint.verdicts import Verdict


def check(configuration: Configuration) -> Iterator[Found]:
    """Find comparisons with FAILED in conditions and maps, and those that let NONE or FAILED:reason through."""
    for server in configuration.servers:
        for one in verdicts(server):
            message = _lets_through(one, server)
            allow_list = _allow_list(one)
            edits = allow_list or _as_expression(one)
            if message is not None:
                yield Found(at(one.block), message, edits, decision="" if allow_list else DECISION)
    yield from find_in_maps(configuration)


def _lets_through(one: Verdict, server: Server) -> str | None:
    if one.operator in {"=", "!="} and one.value == "FAILED":
        return "$ssl_client_verify is never FAILED alone: it is FAILED:reason"
    if one.operator == "=" and one.value == "NONE" and server.verify == "optional_no_ca":
        return "certificates that fail the verification get past this: they are FAILED:reason"
    if one.operator in {"~", "~*"} and "FAILED" in one.value and "NONE" not in one.value and server.verify != "on":
        return "clients without a certificate get past this: they are NONE"
    return None


def _allow_list(one: Verdict) -> tuple[Edit, ...]:
    """Turn a condition that refuses whom it names into one that refuses whom SUCCESS does not."""
    return one.compared("!=", "SUCCESS") if one.refuses and one.operator != "!=" else ()


def _as_expression(one: Verdict) -> tuple[Edit, ...]:
    """Compare with every failure where FAILED alone stands."""
    return one.compared("~" if one.operator == "=" else "!~", "^FAILED") if one.value == "FAILED" else ()


RULE = Rule(
    code="mtls-verify-compared-to-failed",
    severity=Severity.HIGH,
    summary="$ssl_client_verify is compared with FAILED, which it never equals.",
    evidence="Since 1.11.7 the value is FAILED:reason, so = FAILED never matches; and a client without a "
    "certificate is NONE: both got 200.",
    remedy="name what may pass, not what may not: if ($ssl_client_verify != SUCCESS) { return 403; }",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#var_ssl_client_verify",
    check=check,
    affected=(Span(since=(1, 11, 7)),),
    fixes=(Applicability.MACHINE_APPLICABLE, Applicability.MAYBE_INCORRECT),
)
