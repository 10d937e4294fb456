"""One header more, and the ones that say who the client is are gone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.passing import HEADERS, identity_headers, passings
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find levels that set headers of their own, without those by which the level around tells who the client is."""
    for server in configuration.servers:
        for passing in passings(server):
            inner = _setting(passing.level, HEADERS[passing.directive.name])
            outer = _setting(inner.parent, HEADERS[passing.directive.name]) if inner and inner.parent else None
            if inner is None or outer is None:
                continue
            told = identity_headers(configuration, replace(passing, level=outer))
            lost = sorted(told - passing.headers.keys())
            if lost:
                first = inner.here(HEADERS[passing.directive.name])[0]
                yield Found(at(first), f"drops {', '.join(lost)}, which the level around sets")


def _setting(level: Level | None, name: str) -> Level | None:
    """Return the innermost level from here outwards that sets headers."""
    while level is not None and not level.here(name):
        level = level.parent
    return level


RULE = Rule(
    code="id-header-inheritance-lost",
    severity=Severity.CRITICAL,
    summary="A header set in a location drops the identity headers set outside.",
    evidence="One proxy_set_header of its own, and a location inherits none: the client's own X-SSL-Client-Verify: "
    "SUCCESS reached the application.",
    remedy="repeat the whole set on every level that sets one, best by an include",
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header",
    check=check,
)
