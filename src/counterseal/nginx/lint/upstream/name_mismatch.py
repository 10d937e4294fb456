"""A certificate is compared with a name that it cannot have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import insert_before
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.upstream.trusted import tls_upstreams
from counterseal.pki.names import is_ip_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find verified upstreams without a name of their own whose target is an address or a group without a dot."""
    for one in tls_upstreams(configuration):
        if one.level.value(f"{one.prefix}_verify") != "on" or one.level.effective(f"{one.prefix}_name"):
            continue
        is_group = one.host in configuration.upstreams and "." not in one.host
        if is_group or is_ip_address(one.host):
            edits = (insert_before(one.directive, f"{one.prefix}_name <name>;"),)
            yield Found(at(one.directive), f"no certificate can match {one.host}", edits, decision=_DECISION)


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
