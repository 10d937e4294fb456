"""A certificate is compared with a name that it cannot have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import insert_before
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.passing import passings
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.pki.names import is_ip_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find verified upstreams without a name of their own whose target is an address or a group without a dot."""
    for server in configuration.servers:
        for passing in passings(server):
            level, prefix = passing.level, passing.prefix
            if not passing.is_tls or level.value(f"{prefix}_verify") != "on" or level.effective(f"{prefix}_name"):
                continue
            is_group = passing.host in configuration.upstreams and "." not in passing.host
            if is_group or is_ip_address(passing.host):
                edits = (insert_before(passing.directive, f"{prefix}_name <name>;"),)
                yield Found(
                    at(passing.directive), f"no certificate can match {passing.host}", edits, decision=_DECISION
                )


_DECISION = "which DNS name stands in the certificate of the upstream"


RULE = Rule(
    code="up-name-mismatch",
    severity=Severity.MEDIUM,
    summary="The certificate of an upstream is verified against an IP address or the name of a group.",
    evidence='502, upstream SSL certificate does not match "backend" or "127.0.0.1": nginx compares '
    "host names alone, never the IP addresses of a certificate.",
    remedy="write: proxy_ssl_name NAME; with a DNS name of the certificate",
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_name",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
