"""Requests that can be replayed, in the name of the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import remove
from counterseal.nginx.lint.guards import conditions_and_forwarding
from counterseal.nginx.lint.rule import Found, Rule, Span, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration, Server


def check(configuration: Configuration) -> Iterator[Found]:
    """Find early data in servers that verify clients, unless something there looks at ``$ssl_early_data``."""
    for server in configuration.guarded:
        switch = server.level.effective("ssl_early_data")
        if switch is None or switch.arguments != ("on",) or _looks(configuration, server):
            continue
        yield Found(at(switch), "a request in early data can be replayed in the name of the client", (remove(switch),))


def _looks(configuration: Configuration, server: Server) -> bool:
    texts = (text for one in conditions_and_forwarding(server) for text in one.arguments)
    return "ssl_early_data" in configuration.variables.behind(*texts)


RULE = Rule(
    code="mtls-early-data",
    severity=Severity.HIGH,
    summary="ssl_early_data is on where clients are verified.",
    evidence="A request in early data ran with verify=SUCCESS and $ssl_early_data=1, and the same bytes sent again "
    "were accepted again (1.31.5).",
    remedy="remove ssl_early_data, or answer 425 where $ssl_early_data is 1 (RFC 8470)",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_early_data",
    check=check,
    affected=(Span(since=(1, 15, 3)),),
)
