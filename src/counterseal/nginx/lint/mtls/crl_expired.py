"""A list that locks everybody out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import REFRESH, Applicability
from counterseal.nginx.lint.lists import lists_over
from counterseal.nginx.lint.rule import Found, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find lists whose next update has passed, unless the same file has a newer one of the issuer."""
    for crl, file in configuration.client_lists:
        yield from lists_over(crl, file, configuration.now)


RULE = Rule(
    code="mtls-crl-expired",
    severity=Severity.HIGH,
    summary="A revocation list is past its next update.",
    evidence="Every client got 400, error 12, CRL has expired; nginx -t and the reload said nothing.",
    remedy="publish a new list and reload: counterseal refresh does both in time",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_crl",
    check=check,
    fixes=(Applicability.COMMAND,),
    command=REFRESH,
)
