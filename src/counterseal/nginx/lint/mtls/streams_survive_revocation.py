"""Connections that outlive the revocation of their client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.edit import insert_into
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration


def check(configuration: Configuration) -> Iterator[Found]:
    """Find the first list of a whole configuration that lets old workers live for ever."""
    if configuration.is_fragment or configuration.main.here("worker_shutdown_timeout"):
        return
    lists = (server.level.file("ssl_crl") for server in configuration.guarded)
    for crl in [one for one in lists if one is not None][:1]:
        edits = insert_into(configuration.main, "worker_shutdown_timeout 30s;")
        yield Found(at(crl), "connections of a revoked client live on after the reload, without limit", edits)


RULE = Rule(
    code="mtls-streams-survive-revocation",
    severity=Severity.LOW,
    summary="Clients are revoked by list, and worker_shutdown_timeout is not set.",
    evidence="A request that runs (websocket, events, a long download) stays with the old worker after a reload, "
    "without limit; with worker_shutdown_timeout 3s the stream of the revoked client ended after 3.0 s.",
    remedy="write outside every block: worker_shutdown_timeout 30s;",
    reference="https://nginx.org/en/docs/ngx_core_module.html#worker_shutdown_timeout",
    check=check,
)
