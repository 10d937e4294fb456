"""A fingerprint as openssl writes it, not as nginx does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.comparisons import comparisons, rewritten
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration

_IN_MAP = re.compile(r"[0-9A-Fa-f]{40}")
_IN_CONDITION = re.compile(r"[0-9a-f]{40}")


def check(configuration: Configuration) -> Iterator[Found]:
    """Find values that cannot be one; the keys of a map are compared without regard to case."""
    for one in comparisons(configuration):
        if one.subject.strip("${}") != "ssl_client_fingerprint" or one.is_regex or not one.value or "$" in one.value:
            continue
        form = _IN_CONDITION if one.outcome is None else _IN_MAP
        if not form.fullmatch(one.value):
            plain = one.value.replace(":", "").lower()
            is_sure = _IN_CONDITION.fullmatch(plain) is not None
            edits = rewritten(one, plain if is_sure else "<fingerprint>")
            yield Found(at(one.directive), f"never matches: {one.value}", edits, decision="" if is_sure else _DECISION)


_DECISION = "which SHA-1 fingerprint is meant: openssl x509 -noout -fingerprint -sha1 tells"


RULE = Rule(
    code="id-fingerprint-format",
    severity=Severity.MEDIUM,
    summary="A fingerprint is compared in a format that $ssl_client_fingerprint never has.",
    evidence="It is SHA-1 in lower-case hexadecimal without colons. With colons, or as SHA-256, nothing matched; "
    "in an if, which looks at the case, upper case did not either.",
    remedy="write 40 lower-case hexadecimal digits; for SHA-256 compute it in njs",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#var_ssl_client_fingerprint",
    check=check,
    fixes=(Applicability.MACHINE_APPLICABLE, Applicability.HAS_PLACEHOLDERS),
)
