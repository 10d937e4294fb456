"""A revoked client enters by the default server, which has no list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import insert_into, render_line, replace_word
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.trust import anchors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find servers with a list that the default server of their socket, which trusts the same CAs, does not use."""
    for socket in configuration.sockets:
        default = socket.default
        if not socket.is_tls or socket.kind != "http" or not default.verifies:
            continue
        for server in socket.servers[1:]:
            crl, used = server.level.file("ssl_crl"), default.level.file("ssl_crl")
            if crl is None or not server.verifies or anchors(configuration, server) != anchors(configuration, default):
                continue
            if used is None or used.arguments != crl.arguments:
                line = render_line(crl)
                own = default.level.here("ssl_crl")
                edits = (replace_word(own[-1], 0, crl.words[1].raw),) if own else insert_into(default.level, line)
                message = f"the default server at {at(default.block)} does not use this list: {crl.arguments[0]}"
                yield Found(at(crl), message, edits, decision=_DECISION if used else "")


_DECISION = "which list both servers use: a file with the lists of every CA"


RULE = Rule(
    code="mtls-crl-not-on-default-server",
    severity=Severity.HIGH,
    summary="A server has a revocation list, and the default server of its socket trusts the same CA without it.",
    evidence="Without SNI the default server verifies, and it knows of no revocation: the revoked client got 200 "
    "with the Host of the server that has the list.",
    remedy="use the same ssl_crl for every server of the socket (at http level), or reject handshakes in the "
    "default server",
    reference="https://nginx.org/en/docs/http/configuring_https_servers.html#sni",
    check=check,
    fixes=(Applicability.MACHINE_APPLICABLE, Applicability.MAYBE_INCORRECT),
)
