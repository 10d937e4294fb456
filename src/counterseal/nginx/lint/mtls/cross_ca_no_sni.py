"""A client of one CA enters a server that trusts another, by leaving SNI out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rejecting import rejecting
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.trust import anchors, trust_directive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find servers that trust other client CAs than the default server of their socket, which verifies clients, too."""
    for socket in configuration.sockets:
        default = socket.default
        if not socket.is_tls or socket.kind != "http" or not default.verifies:
            continue
        for server in socket.servers[1:]:
            if server.verifies and anchors(configuration, server) != anchors(configuration, default):
                directive = trust_directive(server)
                message = (
                    f"without SNI clients are verified by the other CAs of the default server at {at(default.block)}"
                )
                place = at(directive) if directive else at(server.block)
                yield Found(place, message, rejecting(socket), decision=_DECISION)


_DECISION = "whether clients that send no name, or another one, may be refused"


RULE = Rule(
    code="mtls-cross-ca-no-sni",
    severity=Severity.CRITICAL,
    summary="Servers on one socket trust different client CAs, and the default server completes handshakes.",
    evidence="Without SNI, or with an unknown name, the client is verified against the CA of the default server, "
    "and then Host chooses the other one: a client of the first CA got 200 and verify=SUCCESS there on "
    "1.22.1, 1.28.0 and 1.31.5.",
    remedy="add a default server with ssl_reject_handshake on to the socket, or give each CA its own address and port",
    reference="https://nginx.org/en/docs/http/configuring_https_servers.html#sni",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
