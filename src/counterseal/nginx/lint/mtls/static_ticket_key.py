"""Session tickets under a key that outlives every reload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import remove
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.sessions import has_tickets, session_levels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find the ticket keys that decide about servers which verify clients."""
    for server in configuration.guarded:
        for level in session_levels(configuration, server):
            if has_tickets(level):
                yield from (
                    Found(at(key), "tickets under this key let a client in that is revoked or expired", (remove(key),))
                    for key in level.all("ssl_session_ticket_key")
                )


RULE = Rule(
    code="mtls-static-ticket-key",
    severity=Severity.CRITICAL,
    summary="ssl_session_ticket_key is set where clients are verified.",
    evidence="The key is the same after a reload and on every machine that has the file: a revoked client resumed "
    "with 200 after the new list was in force, on 1.22.1 and newer.",
    remedy="remove ssl_session_ticket_key and write: ssl_session_tickets off;",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_session_ticket_key",
    check=check,
)
