"""A server block that nginx never uses, and it is the one that verifies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.verification import verified_alike

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.lint.rule import Place


def check(configuration: Configuration) -> Iterator[Found]:
    """Find names that an earlier server on the same socket has taken, where the later one verifies and it does not."""
    order = {server: number for number, server in enumerate(configuration.servers)}
    for socket in configuration.sockets:
        taken: dict[str, Server] = {}
        for server in sorted(socket.servers, key=lambda one: order[one]):
            for name in dict.fromkeys(server.names):
                first = taken.setdefault(name, server)
                if first is not server and server.verifies and not first.verifies:
                    where = at(first.block)
                    message = (
                        f"name is taken on {socket.name} by the server at {where}, which verifies nobody: {name!r}"
                    )
                    edits = verified_alike(first, server)
                    yield Found(_place(server, name), message, edits, decision=_DECISION)


def _place(server: Server, name: str) -> Place:
    for line in server.level.here("server_name"):
        for index, argument in enumerate(line.arguments):
            if argument.lower() == name:
                return at(line, index)
    return at(server.block)


_DECISION = "which of the two blocks is meant; nginx serves the first one"


RULE = Rule(
    code="mtls-duplicate-server-name",
    severity=Severity.CRITICAL,
    summary="A second server block with the same name on the same socket carries the verification.",
    evidence="nginx only warns (conflicting server name ... ignored) and passes the test; the first, open block "
    "answered 200.",
    remedy="make one block of the two: nginx serves the first one only",
    reference="https://nginx.org/en/docs/http/request_processing.html",
    check=check,
    fixes=(Applicability.MAYBE_INCORRECT,),
)
