"""One header more, and the ones that say who the client is are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import insert_before, render_line
from counterseal.nginx.lint.passing import lost_headers, passings
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find levels that set headers of their own, without those by which the level around tells who the client is."""
    for server in configuration.servers:
        for passing in passings(server):
            lost, first = lost_headers(configuration, passing)
            if lost and first is not None:
                edits = tuple(insert_before(first, render_line(header)) for header in lost.values())
                yield Found(at(first), f"drops {', '.join(lost)}, which the level around sets", edits)


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
