"""Whether a certificate is wanted is decided by the Host header as it was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.comparisons import comparisons_for, renamed
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.guards import deciding
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.variables import bare_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.comparisons import Comparison
    from counterseal.nginx.lint.model import Configuration

_RAW = "http_host"


def check(configuration: Configuration) -> Iterator[Found]:
    """Find comparisons of ``$http_host`` that have a part in a decision about the certificate."""
    for server in configuration.guarded:
        guards = deciding(configuration, server)
        asked = configuration.variables.behind(*(text for guard in guards for text in guard.arguments))
        directly = {id(guard) for guard in guards}
        for one in comparisons_for(configuration, server) if _RAW in asked else ():
            if _RAW in one.variables and (id(one.source) in directly or not asked.isdisjoint(_made(one))):
                message = f"is compared with what the client sent, whatever server nginx has chosen: {one.value}"
                yield Found(at(one.directive), message, renamed(one, _RAW, "host"), decision=_DECISION)


def _made(one: Comparison) -> frozenset[str]:
    """Return the variables that depend on the comparison: that of the map, or what the condition sets."""
    if one.outcome is not None:
        return frozenset(map(bare_name, one.source.arguments[1:]))
    setting = (inner for inner in one.source.directives if inner.name == "set")
    return frozenset(bare_name(name) for inner in setting for name in inner.arguments[:1])


_DECISION = "whether a port stands in what is compared: $host has none, and is in lower case"


RULE = Rule(
    code="mtls-check-by-http-host",
    severity=Severity.HIGH,
    summary="$http_host decides for which names a certificate is wanted.",
    evidence="It is the header as the client sent it: GET https://panel.test/ with Host: www.test was answered as "
    "panel.test, without the certificate that panel.test asks for, 200. So was Host: PANEL.TEST where = compares.",
    remedy="compare $host, or give each name a server of its own",
    reference="https://nginx.org/en/docs/http/ngx_http_core_module.html#var_host",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
