"""A server that verifies clients, on sockets that speak no TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import append_word, insert_into
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration, Server


def check(configuration: Configuration) -> Iterator[Found]:
    """Find the listens of HTTP servers that are meant to verify clients and speak TLS nowhere."""
    for server in configuration.servers:
        if server.kind != "http" or not server.verifies or configuration.speaks_tls(server) or not _is_meant(server):
            continue
        for listen in server.listens:
            if listen.directive is None:
                message = "server verifies clients and has no listen: it speaks plain HTTP on port 80"
                edits = insert_into(server.level, "listen 443 ssl;")
                yield Found(at(server.block), message, edits, decision="on which address and port it listens")
            else:
                edit = append_word(listen.directive, "ssl")
                yield Found(
                    at(listen.directive), f"ssl is missing though clients are verified: {listen.socket}", (edit,)
                )


def _is_meant(server: Server) -> bool:
    """Whether the server itself speaks of TLS; a redirect beside an http block that verifies clients does not."""
    return any(server.level.here(name) for name in ("ssl_verify_client", "ssl_client_certificate", "ssl_certificate"))


RULE = Rule(
    code="mtls-listen-without-ssl",
    severity=Severity.CRITICAL,
    summary="The listen lacks ssl although clients are to be verified.",
    evidence="nginx -t is silent, the port speaks plain HTTP, nothing is verified: 200 for everybody.",
    remedy="write: listen ... ssl;",
    reference="https://nginx.org/en/docs/http/ngx_http_core_module.html#listen",
    check=check,
    fixes=(Applicability.MACHINE_APPLICABLE, Applicability.MAYBE_INCORRECT),
)
