"""The upstream is not told which name is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import insert_before, replace_word
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.upstream.trusted import tls_upstreams
from counterseal.pki.names import is_ip_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find upstreams with a host name, or a name given for their certificate, to which none is sent."""
    for one in tls_upstreams(configuration):
        switch = f"{one.prefix}_server_name"
        name = one.level.value(f"{one.prefix}_name") or one.host
        if one.level.value(switch) != "off" or not one.host:
            continue
        if "." in name and not is_ip_address(name) and not name.startswith("unix:"):
            own = one.level.here(switch)
            edit = replace_word(own[-1], 0, "on") if own else insert_before(one.directive, f"{switch} on;")
            yield Found(at(one.directive), f"{name} is not told by SNI that it is meant", (edit,))


RULE = Rule(
    code="up-sni-off",
    severity=Severity.MEDIUM,
    summary="SNI is not sent to an upstream behind TLS, which is the default.",
    evidence="An upstream that needs it refused, 502, tlsv1 unrecognized name; another answered with its default "
    "server.",
    remedy="write: proxy_ssl_server_name on;",
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_server_name",
    check=check,
)
