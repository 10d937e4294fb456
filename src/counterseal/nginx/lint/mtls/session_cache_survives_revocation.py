"""A revoked client goes on with the session it had."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.guards import client_variables, guards
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.sessions import cache_off, session_levels, shared_zone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration, Server

_GENERATION = re.compile(r"(?:^|_|g|gen)\d+$")


def check(configuration: Configuration) -> Iterator[Found]:
    """Find the shared caches that decide about servers with a list, unless their name carries a generation."""
    for server in configuration.guarded:
        crl = server.level.file("ssl_crl")
        if crl is None or _decides_each_time(configuration, server):
            continue
        for level in session_levels(configuration, server):
            cache, zone = level.effective("ssl_session_cache"), shared_zone(level)
            if cache is not None and zone is not None and not _GENERATION.search(zone):
                message = f"sessions survive a revocation by {crl.arguments[0]} in the zone {zone}"
                yield Found(at(cache), message, cache_off(level))


def _decides_each_time(configuration: Configuration, server: Server) -> bool:
    """Whether every request of the server is checked against serial numbers or fingerprints, as a map does."""
    return any(
        client_variables(configuration, *guard.arguments) & {"ssl_client_serial", "ssl_client_fingerprint"}
        for guard in guards(configuration, server.level)
    )


RULE = Rule(
    code="mtls-session-cache-survives-revocation",
    severity=Severity.CRITICAL,
    summary="A shared session cache is used together with a revocation list.",
    evidence="A resumed session is never checked against the list again, and the shared zone, since 1.23.2 with the "
    "keys of tickets in it, lives on through a reload: after the revocation the client resumed with 200 for as long as "
    "ssl_session_timeout says. Before 1.23.2 a client that declines tickets did so, too. Seen with the block that "
    "Mozilla's generator and certbot write, on 1.22.1, 1.28.0 and 1.31.5.",
    remedy="write at http level: ssl_session_tickets off; ssl_session_cache off; or rename the zone at every "
    "revocation (shared:mtls_g7:1m, then shared:mtls_g8:1m)",
    reference="https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_session_cache",
    check=check,
)
