"""What a client with a certificate was answered lies in a cache that an open server reads."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from counterseal.findings import Severity
from counterseal.nginx.lint.answers import application, has_access_rules, is_reachable, return_code
from counterseal.nginx.lint.caches import cached
from counterseal.nginx.lint.locations import PREFIXES, can_match_below, find_location
from counterseal.nginx.lint.rule import Found, Rule, at
from counterseal.nginx.lint.variables import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from counterseal.nginx.lint.caches import Cached
    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server

_ANY = "*"
"""Stands for every host."""
_HOST = re.compile(r"\$\{?(?:http_)?host\b")


def check(configuration: Configuration) -> Iterator[Found]:
    """Find open servers that look for answers in the zone of a verifying one, under the same key."""
    kept: dict[tuple[str, ...], list[tuple[Server, Cached]]] = defaultdict(list)
    for server in configuration.guarded:
        for one in cached(server) if server.verify == "on" else ():
            for key in _keys(configuration, server, one, _ANY) if not one.is_parted(configuration) else ():
                kept[key].append((server, one))
    for server in configuration.servers if kept else ():
        is_default = any(socket.default is server for socket in configuration.sockets_of(server))
        for one in cached(server) if not server.verifies and not server.rejects else ():
            if has_access_rules(one.level) or not is_reachable(one.level):
                continue
            keys = _keys(configuration, server, one, *((_ANY,) if is_default else ()))
            same = (found for key in sorted(keys) for found in kept.get(key, ()))
            read = (found for found in same if _is_read(configuration, (server, one), found))
            guarded, other = next(read, (None, None))
            if guarded is not None and other is not None:
                message = f"hands out what {one.zone.arguments[0]} holds of {at(guarded.block)} to anybody"
                edits = other.parted_by("$ssl_client_verify")
                yield Found(at(one.passing), message, edits, harmed=guarded.block)


def _is_read(configuration: Configuration, here: tuple[Server, Cached], there: tuple[Server, Cached]) -> bool:
    """Whether a request to this server can be for an answer kept there, which it would not be given itself."""
    (server, one), (guarded, other) = here, there
    if not _overlap(one.level, other.level):  # first, because it is asked for every two
        return False
    is_other_answer = one.passing.arguments != other.passing.arguments or bool(other.told(configuration))
    is_taken = _HOST.search(one.key) is None or _takes_name(configuration, server, guarded)
    is_shadowed = _is_shadowed(guarded, other.level, one.level) or _is_shadowed(server, one.level, other.level)
    return is_taken and is_other_answer and not is_shadowed


def _keys(configuration: Configuration, server: Server, one: Cached, *hosts: str) -> frozenset[tuple[str, ...]]:
    """Return protocol, zone and key with what the configuration knows filled in, for each host; the path is left."""
    schemes = {"https" if socket.is_tls else "http" for socket in configuration.sockets_of(server)}
    target = one.passing.arguments[0] if one.passing.arguments else ""
    known = {"proxy_host": target.partition("://")[2].partition("/")[0], "server_name": server.names[0]}
    hosts = (*server.names, *hosts) if _HOST.search(one.key) else (_ANY,)
    choices = ({"scheme": scheme, "host": host, "http_host": host} for scheme in schemes for host in hosts)
    filled = (_filled(one.key, known | choice) for choice in choices)
    return frozenset((one.kind, *one.zone.arguments, key) for key in filled)


def _filled(key: str, known: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda name: known.get(name[1] or name[2], name[0]), key)


def _takes_name(configuration: Configuration, server: Server, guarded: Server) -> bool:
    """Whether a request for the name of the verifying server can come here: by the name, or where that one is not."""
    its_own = (socket for socket in configuration.sockets_of(server) if socket.default is server)
    is_default = any(socket not in configuration.sockets_of(guarded) for socket in its_own)
    return is_default or not set(server.names).isdisjoint(guarded.names)


def _is_shadowed(server: Server, level: Level, other: Level) -> bool:
    """Whether all that ``other`` matches is answered on this server by a location with a longer path than ``level``."""
    (modifier, path), (other_modifier, other_path) = level.match, other.match
    nearest = find_location(server, other_path)
    if nearest is None or modifier not in PREFIXES or other_modifier not in {"=", *PREFIXES}:
        return False
    nearest_modifier, nearest_path = nearest.match
    is_longer = other_path.startswith(path) and len(nearest_path) > len(path)
    is_whole = nearest_modifier in PREFIXES or other_modifier == "="
    return is_longer and is_whole and (application(nearest) is not None or return_code(nearest) is not None)


def _overlap(level: Level, other: Level) -> bool:
    """Whether a path can lead to both; where it depends on a regular expression, when in doubt yes."""
    (_, path), (_, other_path) = level.match, other.match
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
