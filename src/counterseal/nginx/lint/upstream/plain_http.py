"""Who the client is goes over the network in the clear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.passing import addresses, identity_headers, is_remote, passings
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find identity headers on the way to a host that is surely another machine."""
    for server in configuration.guarded:
        for passing in passings(server):
            remote = [host for host in addresses(configuration, passing) if is_remote(host)]
            if remote and not passing.is_tls and identity_headers(configuration, passing):
                yield Found(at(passing.directive), f"identity headers go to {remote[0]} in the clear")


RULE = Rule(
    code="up-plain-http",
    severity=Severity.HIGH,
    summary="Identity headers are sent to another machine without TLS.",
    evidence="Anybody on the way reads and forges them, and the upstream cannot tell nginx from others.",
    remedy="use https with a client certificate of nginx's own (proxy_ssl_certificate), or a Unix socket",
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass",
    check=check,
)
