"""A serial number as people write it, not as nginx does."""

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

_IN_MAP = re.compile(r"(?!00.)(?:[0-9A-Fa-f]{2})+")
_IN_CONDITION = re.compile(r"(?!00.)(?:[0-9A-F]{2})+")
_DIGITS = re.compile(r"(?:0x)?0*([0-9a-f]+)", re.IGNORECASE)


def check(configuration: Configuration) -> Iterator[Found]:
    """Find values that cannot be one; the keys of a map are compared without regard to case."""
    for one in comparisons(configuration):
        if one.subject.strip("${}") != "ssl_client_serial" or one.is_regex or not one.value or "$" in one.value:
            continue
        form = _IN_CONDITION if one.outcome is None else _IN_MAP
        if not form.fullmatch(one.value):
            digits = _DIGITS.fullmatch(one.value.replace(":", ""))
            edits = rewritten(one, _octets(digits[1]) if digits else "<serial-number>")
            yield Found(at(one.directive), f"never matches: {one.value}", edits, decision="" if digits else _DECISION)


def _octets(digits: str) -> str:
    return digits.upper().rjust(len(digits) + len(digits) % 2, "0")


_DECISION = "which serial number is meant: openssl x509 -noout -serial tells"


RULE = Rule(
    code="id-serial-format",
    severity=Severity.MEDIUM,
    summary="A serial number is compared in a format that $ssl_client_serial never has.",
    evidence="It is whole octets in upper-case hexadecimal, 0A1B for 2587. With 0x or colons nothing matched; in an "
    "if, which looks at the case, lower case did not either, so that a client that was to be refused got in.",
    remedy="write two upper-case digits for each octet, as openssl x509 -noout -serial does",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#var_ssl_client_serial",
    check=check,
    fixes=(Applicability.MACHINE_APPLICABLE, Applicability.HAS_PLACEHOLDERS),
)
