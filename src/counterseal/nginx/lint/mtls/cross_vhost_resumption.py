"""A session made in a lax server is resumed in a strict one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.rule import Found, Rule, Span, at
from counterseal.nginx.lint.sessions import cache_off, has_tickets, resumes, session_levels, ticket_command, tickets_off

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive


def check(configuration: Configuration) -> Iterator[Found]:
    """Find servers that share the session context of an earlier one on their socket and judge clients otherwise."""
    for socket in configuration.sockets:
        first: dict[tuple[str, str], Server] = {}
        for server in socket.servers if socket.is_tls and len(socket.servers) > 1 else ():
            if not server.verifies or not any(map(resumes, session_levels(configuration, server))):
                continue
            other = first.setdefault(_context(server), server)
            if _policy(server) != _policy(other):
                directive = _stricter(server) or server.block
                message = (
                    f"sessions of the server at {at(other.block)}, which judges clients otherwise, are resumed here"
                )
                yield Found(at(directive), message, tuple(_no_sessions(configuration, server)))


def _no_sessions(configuration: Configuration, server: Server) -> Iterator[Edit]:
    for level in session_levels(configuration, server):
        if ticket_command(level) is None:
            yield from tickets_off(level) if has_tickets(level) else ()
            yield from cache_off(level)


def _context(server: Server) -> tuple[str, str]:
    certificates = " ".join(sorted(one.arguments[0] for one in server.level.all("ssl_certificate") if one.arguments))
    return certificates, server.level.value("ssl_client_certificate")


def _policy(server: Server) -> tuple[str, ...]:
    return tuple(server.level.value(name) for name in ("ssl_crl", "ssl_verify_depth", "ssl_trusted_certificate"))


def _stricter(server: Server) -> Directive | None:
    """Return the directive of the server itself that makes the difference, if it has one."""
    own = (server.level.here(name) for name in ("ssl_crl", "ssl_verify_depth", "ssl_trusted_certificate"))
    return next((found[0] for found in own if found), None)


RULE = Rule(
    code="mtls-cross-vhost-resumption",
    severity=Severity.CRITICAL,
    summary="Servers with the same certificate and client CA differ in revocation list, depth or trust, and "
    "sessions can be resumed.",
    evidence="The context of a session holds the server certificates and the names of the client CAs, not the "
    "list, the depth or ssl_trusted_certificate: a ticket of the lax server was resumed in the strict one "
    "with 200 on 1.22.1 without the distribution's fix and on 1.31.5.",
    remedy="write at http level: ssl_session_tickets off; ssl_session_cache off; or give each server its own "
    "certificate",
    reference="https://nginx.org/en/security_advisories.html",
    check=check,
    affected=(
        Span(before=(1, 26, 3), mended_in=("1.22.1-9+deb12u1",)),
        Span(since=(1, 27, 0), before=(1, 27, 4)),
        Span(since=(1, 29, 2)),
    ),
)
