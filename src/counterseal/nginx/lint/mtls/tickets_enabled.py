"""Session tickets, which skip the verification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.sessions import command_off, has_tickets, session_levels, ticket_command, tickets_off

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find servers that verify clients and whose sessions are resumed by ticket."""
    for server in configuration.guarded:
        level = next((one for one in session_levels(configuration, server) if has_tickets(one)), None)
        if level is None:
            continue
        switch, command = level.effective("ssl_session_tickets"), ticket_command(level)
        if command is not None:
            yield Found(at(command[0]), "session tickets skip the verification of clients", command_off(*command))
        elif switch is not None:
            yield Found(at(switch), "session tickets skip the verification of clients", tickets_off(level))
        else:
            asks = server.level.effective("ssl_verify_client") or server.block
            yield Found(
                at(asks), "session tickets, on by default, skip the verification of clients", tickets_off(level)
            )


RULE = Rule(
    code="mtls-tickets-enabled",
    severity=Severity.MEDIUM,
    summary="Session tickets are on, which is the default, where clients are verified.",
    evidence="A resumed session is not verified: a client whose certificate had expired went on with 200; before "
    "1.23.2 with TLS 1.3 for ever, from ticket to ticket (28 s with a certificate of 6 s and a timeout of "
    "10 s).",
    remedy="write at http level, so that the default server has it, too: ssl_session_tickets off;",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_session_tickets",
    check=check,
)
