"""A server block that nginx never uses, and it is the one that verifies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.build import names_of
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.guards import guards
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.verification import verified_alike

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.lint.rule import Place


def check(configuration: Configuration) -> Iterator[Found]:
    """Find names that an earlier server on the same socket has taken, where the later one insists on more than it."""
    order = {server: number for number, server in enumerate(configuration.servers)}
    for socket in configuration.sockets:
        taken: dict[str, Server] = {}
        for server in sorted(socket.servers, key=lambda one: order[one]):
            for name in dict.fromkeys(server.names):
                first = taken.setdefault(name, server)
                if first is not server and _is_weaker(configuration, first, server):
                    where = at(first.block)
                    message = (
                        f"name is taken on {socket.name} by the server at {where}, which {_verdict(first)}: {name!r}"
                    )
                    edits = verified_alike(first, server)
                    yield Found(_place(server, name), message, edits, decision=_DECISION)


def _is_weaker(configuration: Configuration, first: Server, later: Server) -> bool:
    """Whether the first insists on less than the later one; a condition of its own insists, too."""
    has_less = _STRENGTH.get(first.verify, 0) < _STRENGTH.get(later.verify, 0)
    return has_less and not (first.verifies and guards(configuration, first.level))


def _verdict(server: Server) -> str:
    return f"has ssl_verify_client {server.verify}" if server.verifies else "verifies nobody"


def _place(server: Server, name: str) -> Place:
    for line in server.level.here("server_name"):
        for index, argument in enumerate(line.arguments):
            if name in names_of(argument):
                return at(line, index)
    return at(server.block)


_STRENGTH = {"optional_no_ca": 1, "optional": 2, "on": 3}
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
