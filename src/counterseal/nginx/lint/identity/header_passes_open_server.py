"""Where nobody is asked for a certificate, anybody can claim one."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.passing import cleared, identity_headers, members, passings
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find ways to an application that is told who the client is elsewhere, on which such a header is not set."""
    told: dict[str, set[str]] = defaultdict(set)
    for server in configuration.guarded:
        for passing in passings(server):
            for member in members(configuration, passing.directive.arguments[0]):
                told[member] |= identity_headers(configuration, passing)
    for server in configuration.servers if told else ():
        if server.kind != "http" or server.verifies:
            continue
        for passing in passings(server):
            heard = [told[member] for member in members(configuration, passing.directive.arguments[0]) & told.keys()]
            missing = sorted(name for name in frozenset[str]().union(*heard) if not passing.overwrites(name))
            if missing:
                message = f"lets {missing[0]} of the client through to {passing.target}"
                yield Found(at(passing.directive), message, cleared(passing, missing), decision=_DECISION)


_DECISION = "whether nobody but clients comes this way: another proxy in front may set these headers"


RULE = Rule(
    code="id-header-passes-open-server",
    severity=Severity.HIGH,
    summary="A server without client certificates leads to the same application, and lets identity headers of the "
    "client through.",
    evidence="Forged headers reached the application untouched.",
    remedy='clear them there: proxy_set_header X-SSL-Client-S-DN ""; for each one',
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
