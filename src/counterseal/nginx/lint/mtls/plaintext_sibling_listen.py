"""A plain way into a server that verifies clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import return_code
from counterseal.nginx.lint.edit import insert_before, remove, render_line
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.guards import uses_of_client
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.verification import redirect_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.model import Configuration, Listen, Server
    from counterseal.nginx.tree import Directive


def check(configuration: Configuration) -> Iterator[Found]:
    """Find the plain listens of servers that verify clients on another socket and decide nothing themselves."""
    tls = {(socket.kind, socket.name) for socket in configuration.sockets if socket.is_tls}
    for server in configuration.guarded:
        if server.kind != "http" or _decides(configuration, server):
            continue
        for listen in server.listens:
            if listen.directive is not None and not listen.is_unix and not _is_tls(listen, server.kind, tls):
                message = f"plain HTTP into a server that verifies clients: {listen.socket}"
                yield Found(at(listen.directive), message, _moved(server, listen.directive), decision=_DECISION)


def _moved(server: Server, listen: Directive) -> tuple[Edit, ...]:
    """Return the edits that give a listen a server of its own, which only redirects."""
    lines = [render_line(one) for one in (listen, *server.level.here("server_name"))]
    text = f"server {{ {' '.join(lines)} {redirect_to(server)} }}"
    return remove(listen), insert_before(server.block, text)


def _is_tls(listen: Listen, kind: str, tls: set[tuple[str, str]]) -> bool:
    return (kind, listen.socket) in tls or "quic" in listen.parameters


def _decides(configuration: Configuration, server: Server) -> bool:
    """Whether the server asks itself how a request came: then the plain one is refused or redirected."""
    conditions = [level.block for level in server.level.inside("if") if level.block]
    asked = configuration.variables.behind(*(text for block in conditions for text in block.arguments))
    return (
        return_code(server.level) is not None
        or bool(asked & {"scheme", "https", "server_port", "ssl_protocol"})
        or "ssl_client_verify" in asked
        or (server.verify != "on" and "ssl_client_verify" in uses_of_client(configuration, server))
    )


_DECISION = "whether whoever comes by plain HTTP may be sent to TLS"


RULE = Rule(
    code="mtls-plaintext-sibling-listen",
    severity=Severity.CRITICAL,
    summary="A server that verifies clients also listens without ssl.",
    evidence="ssl_verify_client is looked at on TLS connections alone: the plain listener of the same block "
    "answered 200 to everybody.",
    remedy="move the plain listen to a server of its own that only redirects",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_verify_client",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
