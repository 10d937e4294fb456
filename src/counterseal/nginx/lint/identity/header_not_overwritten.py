"""The client says itself who it is."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import insert_before
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.guards import client_variables
from counterseal.nginx.lint.passing import HEADERS, cleared, identity_headers, lost_headers, members, passings
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration
    from counterseal.nginx.lint.passing import Passing

_NAMES = frozenset(
    {"ssl_client_s_dn", "ssl_client_s_dn_legacy", "ssl_client_serial", "ssl_client_fingerprint", "ssl_client_cert"}
    | {"ssl_client_raw_cert", "ssl_client_escaped_cert"}
)


def check(configuration: Configuration) -> Iterator[Found]:
    """Find places that tell an application the verdict and no name, or fewer headers than it is told elsewhere."""
    told = [(passing, identity_headers(configuration, passing)) for passing in _guarded(configuration)]
    everywhere: dict[str, set[str]] = defaultdict(set)
    for passing, headers in told:
        for member in members(configuration, passing.directive.arguments[0]):
            everywhere[member] |= headers
    for passing, headers in told:
        lost, _ = lost_headers(configuration, passing)
        heard = (everywhere[member] for member in members(configuration, passing.directive.arguments[0]))
        told_elsewhere = frozenset[str]().union(*heard) - lost.keys()
        missing = sorted(one for one in told_elsewhere if not passing.overwrites(one))
        first = passing.headers[min(headers)] if headers else passing.directive
        if missing:
            message = f"{missing[0]}, which {passing.target} is told elsewhere, comes from the client here"
            yield Found(at(first), message, cleared(passing, missing))
        elif headers and not _names_client(configuration, passing, headers):
            sibling = _sibling(first.arguments[0])
            message = f"the verdict alone is set: a name in a header like {sibling} is the client's own"
            line = f"{HEADERS[passing.directive.name]} {sibling} $ssl_client_s_dn;"
            yield Found(at(first), message, (insert_before(first, line),), decision=_DECISION)


def _guarded(configuration: Configuration) -> Iterator[Passing]:
    for server in configuration.guarded:
        yield from passings(server)


def _names_client(configuration: Configuration, passing: Passing, headers: frozenset[str]) -> bool:
    texts = (text for name in headers for text in passing.headers[name].arguments[1:])
    is_cleared = any(one.arguments[1] == "" for name, one in passing.headers.items() if "dn" in name or "cert" in name)
    return is_cleared or bool(client_variables(configuration, *texts) & _NAMES)


def _sibling(name: str) -> str:
    return f"{name.rpartition('-')[0]}-S-DN" if "-" in name else f"{name}-DN"


_DECISION = "which header the application reads the name from"


RULE = Rule(
    code="id-header-not-overwritten",
    severity=Severity.CRITICAL,
    summary="An identity header that the application may read is not set by nginx.",
    evidence="With X-SSL-Client-Verify alone set by nginx, the client's own X-SSL-Client-S-DN: CN=admin reached "
    "the application, together with a valid certificate of somebody else.",
    remedy="set every identity header in every location that proxies; an empty value removes it",
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header",
    check=check,
    fixes=(Applicability.MACHINE_APPLICABLE, Applicability.MAYBE_INCORRECT),
)
