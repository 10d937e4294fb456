"""A header with underscores passes for the one with hyphens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import remove
from counterseal.nginx.lint.passing import identity_headers, passings
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration, Server

_LOOSE = {"underscores_in_headers": "on", "ignore_invalid_headers": "off"}


def check(configuration: Configuration) -> Iterator[Found]:
    """Find either switch where it counts for a server that tells an application who the client is."""
    for server in configuration.guarded:
        if not any(identity_headers(configuration, passing) for passing in passings(server)):
            continue
        for one in dict.fromkeys((server, *_defaults(configuration, server))):
            for name, value in _LOOSE.items():
                switch = one.level.effective(name)
                if switch is not None and switch.arguments == (value,):
                    yield Found(at(switch), f"lets forged identity headers through: {name} {value}", (remove(switch),))


def _defaults(configuration: Configuration, server: Server) -> Iterator[Server]:
    """Yield what reads the headers of a client without SNI, which a server that insists on a certificate refuses then.

    Unless the default server has asked for that certificate.
    """
    for socket in configuration.sockets_of(server):
        if socket.kind == "http" and (socket.default.verifies or server.verify != "on"):
            yield socket.default


RULE = Rule(
    code="id-underscore-headers",
    severity=Severity.HIGH,
    summary="Headers with underscores are let through beside identity headers.",
    evidence="X_SSL_Client_Verify: SUCCESS reached the application beside the real header; CGI, WSGI and PHP call "
    "both HTTP_X_SSL_CLIENT_VERIFY. Of a client without a certificate it was the only one.",
    remedy="leave underscores_in_headers off and ignore_invalid_headers on, as they are by default",
    reference="https://nginx.org/en/docs/http/ngx_http_core_module.html#underscores_in_headers",
    check=check,
)
