"""What a client with a certificate was answered lies in a cache that an open server reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import has_access_rules, location_match
from counterseal.nginx.lint.caches import cached
from counterseal.nginx.lint.locations import can_match_below
from counterseal.nginx.lint.rule import Found, Rule, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.caches import Cached
    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server

_HOST = re.compile(r"\$\{?(?:http_)?host\b")


def check(configuration: Configuration) -> Iterator[Found]:
    """Find open servers that look for answers in the zone of a verifying one, under the same key."""
    kept = [
        (server, one)
        for server in configuration.guarded
        if server.verify == "on"
        for one in cached(server)
        if not one.is_parted(configuration)
    ]
    for server in configuration.servers if kept else ():
        for one in cached(server) if not server.verifies and not server.rejects else ():
            for guarded, other in kept if not has_access_rules(one.level) else ():
                if _is_found(configuration, (server, one), (guarded, other)):
                    message = f"hands out what {one.zone.arguments[0]} holds of {at(guarded.block)} to anybody"
                    edits = other.parted_by("$ssl_client_verify")
                    yield Found(at(one.passing), message, edits, harmed=guarded.block)


def _is_found(configuration: Configuration, here: tuple[Server, Cached], there: tuple[Server, Cached]) -> bool:
    """Whether a request to this server can have the key of an answer that it would not be given itself."""
    (server, one), (guarded, other) = here, there
    is_other_answer = one.passing.arguments != other.passing.arguments or bool(other.told(configuration))
    return (
        (one.kind, one.zone.arguments) == (other.kind, other.zone.arguments)
        and is_other_answer
        and not _keys(configuration, *here).isdisjoint(_keys(configuration, *there))
        and (_HOST.search(one.key) is None or _takes_name(configuration, server, guarded))
        and _overlap(one.level, other.level)
    )


def _keys(configuration: Configuration, server: Server, one: Cached) -> frozenset[str]:
    """Return the key with what the configuration knows filled in; what the client sends stays a variable."""
    schemes = {"https" if socket.is_tls else "http" for socket in configuration.sockets_of(server)}
    target = one.passing.arguments[0] if one.passing.arguments else ""
    fixed = {"proxy_host": target.partition("://")[2].partition("/")[0], "server_name": server.names[0]}
    key = one.key
    for name, value in fixed.items():
        key = re.sub(rf"\${name}\b|\$\{{{name}\}}", lambda _, value=value: value, key)  # type: ignore[misc] # a default binds the loop's value
    return frozenset(re.sub(r"\$scheme\b|\$\{scheme\}", scheme, key) for scheme in schemes)


def _takes_name(configuration: Configuration, server: Server, guarded: Server) -> bool:
    """Whether a request for the name of the verifying server can come here: by the name, or where that one is not."""
    elsewhere = set(configuration.sockets_of(server)) - set(configuration.sockets_of(guarded))
    return any(socket.default is server for socket in elsewhere) or not set(server.names).isdisjoint(guarded.names)


def _overlap(level: Level, other: Level) -> bool:
    """Whether a path can lead to both; where it depends on a regular expression, when in doubt yes."""
    (_, path), (_, other_path) = location_match(level), location_match(other)
    is_below = path.startswith(other_path) or other_path.startswith(path)
    return is_below or can_match_below(level, other_path) or can_match_below(other, path)


RULE = Rule(
    code="mtls-cache-read-by-open-server",
    severity=Severity.HIGH,
    summary="A server without client certificates looks for answers in the cache of one that verifies them.",
    evidence="The key named neither server: what alice had been answered was handed to anybody who asked the open one "
    "for the same path.",
    remedy="give each server a zone of its own, or add $ssl_client_verify to the key of the one that verifies",
    reference="https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_key",
    check=check,
)
