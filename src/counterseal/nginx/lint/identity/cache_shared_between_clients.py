"""One client is given the answer that was made for another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.caches import cached
from counterseal.nginx.lint.guards import is_guarded
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.caches import Cached
    from counterseal.nginx.lint.model import Configuration, Server


def check(configuration: Configuration) -> Iterator[Found]:
    """Find caches in locations that tell the application more of the client than is the same for all."""
    for server in configuration.guarded:
        for one in cached(server):
            if _depends(configuration, server, one) and not one.is_parted(configuration):
                message = f"answers to one client are given to others: no identity in {one.kind}_cache_key"
                yield Found(at(one.zone), message, one.parted_by("$ssl_client_fingerprint"))


def _depends(configuration: Configuration, server: Server, one: Cached) -> bool:
    """Whether the answer may: the verdict is the same for all where nobody else gets as far as the cache."""
    is_insisting = server.verify == "on" or any(is_guarded(configuration, level) for level in (server.level, one.level))
    return bool(one.told(configuration) - ({"ssl_client_verify"} if is_insisting else set()))


RULE = Rule(
    code="id-cache-shared-between-clients",
    severity=Severity.HIGH,
    summary="Answers that depend on the client are cached under a key that does not.",
    evidence="The second client received what the application had answered to the first one: bob got alice's page.",
    remedy="add $ssl_client_fingerprint to proxy_cache_key, or do not cache where the application is told who "
    "the client is",
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_key",
    check=check,
)
