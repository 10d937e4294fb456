"""Connections that outlive the revocation of their client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.claims import is_bound
from counterseal.nginx.lint.edit import insert_into, replace_word
from counterseal.nginx.lint.guards import deciding_by
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive

_SERIALS = frozenset({"ssl_client_serial", "ssl_client_fingerprint"})


def check(configuration: Configuration) -> Iterator[Found]:
    """Find the first list of a whole configuration that lets old workers live for ever."""
    if configuration.is_fragment:
        return
    timeouts = configuration.main.here("worker_shutdown_timeout")
    if any(map(is_bound, timeouts)):
        return
    for revoking in [one for server in configuration.guarded for one in _revoking(configuration, server)][:1]:
        edits = tuple(replace_word(one, 0, "30s") for one in timeouts if one.arguments)
        edits = edits or insert_into(configuration.main, "worker_shutdown_timeout 30s;")
        yield Found(at(revoking), "connections of a revoked client live on after the reload, without limit", edits)


def _revoking(configuration: Configuration, server: Server) -> Iterator[Directive]:
    """Yield what refuses single certificates: a list of their CA, or a condition that knows them by number."""
    crl = server.level.file("ssl_crl")
    if crl is not None:
        yield crl
    yield from deciding_by(configuration, server, _SERIALS)


RULE = Rule(
    code="mtls-streams-survive-revocation",
    severity=Severity.LOW,
    summary="Clients are revoked by a list or a map, and worker_shutdown_timeout is not set, or 0.",
    evidence="A request that runs (websocket, events, a long download) stays with the old worker after a reload, "
    "without limit, also with worker_shutdown_timeout 0; with 3s the stream of the revoked client ended after 3.0 s.",
    remedy="write outside every block: worker_shutdown_timeout 30s;",
    reference="https://nginx.org/en/docs/ngx_core_module.html#worker_shutdown_timeout",
    check=check,
)
