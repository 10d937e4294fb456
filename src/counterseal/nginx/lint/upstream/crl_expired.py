"""A list that cuts the upstream off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import REFRESH, Applicability
from counterseal.nginx.lint.lists import lists_over
from counterseal.nginx.lint.rule import Found, Rule
from counterseal.nginx.lint.upstream.trusted import upstream_lists

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find the same as ``mtls-crl-expired``, where an upstream is verified."""
    for crl, file in upstream_lists(configuration):
        yield from lists_over(crl, file, configuration.now)


RULE = Rule(
    code="up-crl-expired",
    severity=Severity.HIGH,
    summary="A revocation list for an upstream is past its next update.",
    evidence="502, upstream SSL certificate verify error: (12:CRL has expired); nginx -t and the reload said nothing.",
    remedy="publish a new list and reload",
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_crl",
    check=check,
    fixes=(Applicability.COMMAND,),
    command=REFRESH,
)
