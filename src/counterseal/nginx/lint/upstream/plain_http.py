"""Who the client is goes over the network in the clear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import insert_before, replace_word
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.passing import addresses, identity_headers, is_remote, passings
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.lint.passing import Passing


def check(configuration: Configuration) -> Iterator[Found]:
    """Find identity headers on the way to a host that is surely another machine."""
    for server in configuration.guarded:
        for passing in passings(server):
            remote = [host for host in addresses(configuration, passing) if is_remote(host)]
            if remote and not passing.is_tls and identity_headers(configuration, passing):
                message = f"identity headers go to {remote[0]} in the clear"
                yield Found(at(passing.directive), message, _mutual(passing), decision=_DECISION)


def _mutual(passing: Passing) -> tuple[Edit, ...]:
    """Return the edits for mutual TLS with the upstream."""
    prefix, raw = passing.prefix, passing.directive.words[1].raw
    url = f"{raw.replace('://', 's://', 1)}" if "://" in raw else f"grpcs://{raw}"
    settings = {"verify": "on", "trusted_certificate": "<upstream-ca.pem>", "certificate": "<client.pem>"}
    settings |= {"certificate_key": "<client.key>"}
    missing = [
        f"{prefix}_{name} {value};" for name, value in settings.items() if not passing.level.file(f"{prefix}_{name}")
    ]
    return (*(insert_before(passing.directive, line) for line in missing), replace_word(passing.directive, 0, url))


_DECISION = "whether the upstream speaks TLS there, by which CA, and by which it knows nginx"


RULE = Rule(
    code="up-plain-http",
    severity=Severity.HIGH,
    summary="Identity headers are sent to another machine without TLS.",
    evidence="Anybody on the way reads and forges them, and the upstream cannot tell nginx from others.",
    remedy="use https with a client certificate of nginx's own (proxy_ssl_certificate), or a Unix socket",
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass",
    check=check,
    fixes=(Applicability.HAS_PLACEHOLDERS,),
)
