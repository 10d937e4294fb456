"""A restriction that nobody obeys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import insert_into, render_line, write_arguments
from counterseal.nginx.lint.fix import Applicability
from counterseal.nginx.lint.rule import Found, Rule, Span, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration, Server


def check(configuration: Configuration) -> Iterator[Found]:
    """Find servers whose own protocols leave out some that the default server offers."""
    for socket in configuration.sockets:
        offered = _protocols(socket.default)
        for server in socket.servers[1:] if socket.is_tls else ():
            own = server.level.here("ssl_protocols")
            loose = offered - set(own[-1].arguments) if own else frozenset()
            if own and loose:
                where = at(socket.default.block)
                message = f"{', '.join(sorted(loose))} gets in by the default server at {where}"
                said = socket.default.level.here("ssl_protocols")
                line = render_line(own[-1])
                edits = (
                    (write_arguments(said[-1], own[-1].arguments),) if said else insert_into(socket.default.level, line)
                )
                yield Found(at(own[-1]), message, edits, decision=_DECISION)


def _protocols(server: Server) -> frozenset[str]:
    switch = server.level.effective("ssl_protocols")
    return frozenset(switch.arguments) if switch is not None else frozenset({"TLSv1.2"})


_DECISION = "whether the clients of the default server can do without the others"


RULE = Rule(
    code="tls-protocols-in-nondefault-server",
    severity=Severity.MEDIUM,
    summary="Stricter ssl_protocols stand in a server that is not the default one of its socket.",
    evidence="Before 1.29.2 the default server decides: a server with TLSv1.3 alone was reached over TLS 1.2 on "
    "1.22.1 and 1.28.0; 1.31.5 refuses.",
    remedy="set ssl_protocols at http level, or in the default server as well",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_protocols",
    check=check,
    affected=(Span(before=(1, 29, 2)),),
    fixes=(Applicability.MAYBE_INCORRECT,),
)
