"""The same name on another socket, where nobody is verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import serves_content
from counterseal.nginx.lint.edit import insert_into
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.verification import redirect_to, verified_alike

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration, Server


def check(configuration: Configuration) -> Iterator[Found]:
    """Find servers that serve the name of a verifying one elsewhere, to anybody."""
    guarded = {
        name: server for server in configuration.guarded if server.kind == "http" for name in server.names if name
    }
    for server in configuration.servers if guarded else ():
        if server.kind != "http" or server.verifies or server.rejects:
            continue
        shared = next((name for name in server.names if name in guarded), None)
        if shared is None or not serves_content(server) or _shares_socket(configuration, server, guarded[shared]):
            continue
        sockets = ", ".join(listen.socket for listen in server.listens)
        message = f"{shared} verifies clients at {at(guarded[shared].block)}, and nobody on {sockets}"
        edits = verified_alike(server, guarded[shared])
        if not configuration.speaks_tls(server):
            edits = insert_into(server.level, redirect_to(guarded[shared]))
        yield Found(at(server.block), message, edits, harmed=guarded[shared].block, decision=_DECISION)


def _shares_socket(configuration: Configuration, server: Server, guarded: Server) -> bool:
    """Whether both stand behind one socket: then one of them is never used, which is another rule's affair."""
    return any(socket in configuration.sockets_of(guarded) for socket in configuration.sockets_of(server))


_DECISION = "whether somebody comes this way who has no certificate"


RULE = Rule(
    code="mtls-other-listener-unprotected",
    severity=Severity.CRITICAL,
    summary="The name of a server that verifies clients is also served on another socket without verification.",
    evidence="The second socket (an IPv6 one, or an old port) answered 200 without any certificate.",
    remedy="list every socket in the server block that verifies, and let the others only redirect",
    reference="https://nginx.org/en/docs/http/request_processing.html",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
