"""Which ways to an application ask for a certificate, and which for nothing at all.

Closed are those of a server with ``ssl_verify_client on``, and of one with ``optional`` where an ``if`` of the server
or of the location decides by the certificate; by a serial number alone it decides who was revoked, and lets in who has
none, and by the path as well it decides about some paths, of which we do not know which. Open is what neither asks for
one nor for anything else: a password, a cookie, an address, a subrequest.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING

from counterseal.nginx.lint.answers import has_access_rules, return_code
from counterseal.nginx.lint.entrances import entrances, leads
from counterseal.nginx.lint.guards import FORWARDING, client_variables, guards, is_guarded
from counterseal.nginx.lint.locations import beginning_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.entrances import Entrance
    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server

_OF_REVOCATION = frozenset({"ssl_client_serial", "ssl_client_i_dn"})
_OF_PATH = frozenset({"uri", "request_uri", "document_uri", "request_filename", "request"})
_WHO = frozenset({
    "remote_addr", "binary_remote_addr", "realip_remote_addr", "proxy_protocol_addr", "remote_user",
    "http_authorization", "secure_link",
})  # fmt: skip
"""What else tells one client from another; a cookie does, too, and a header that carries a secret."""
_SECRET = re.compile(r"cookie_|http_(?!sec_).*(?:key|token|secret|password|origin_verify)")


_ANY_HOST = "*"
_LOOPBACK = re.compile(r"(?:127\.[0-9.]+|\[::1\]|localhost):[0-9-]+")


class GuardedDoors:
    """The closed ways, by application and by what it is asked for there."""

    def __init__(self, doors: Iterator[tuple[Server, Entrance]]) -> None:
        """Take each with its server; of two for the same the first counts, or the one that is for all of it."""
        self._same: dict[tuple[str, tuple[str, str]], Server] = {}
        self._begins: dict[str, dict[str, tuple[Server, bool]]] = defaultdict(dict)
        for server, entrance in doors:
            for application in _names(entrance, entrance.host, _ANY_HOST):
                self._same.setdefault((application, entrance.match), server)
                known = self._begins[application].get(entrance.begins) if entrance.begins is not None else None
                if entrance.begins is not None and (known is None or (known[1] and not entrance.is_part)):
                    self._begins[application][entrance.begins] = (server, entrance.is_part)
        self._ordered = {application: sorted(paths) for application, paths in self._begins.items()}

    def __bool__(self) -> bool:
        return bool(self._same)

    def reached_by(self, configuration: Configuration, server: Server, entrance: Entrance) -> Server | None:
        """Return the server that asks for a certificate where all of this leads through the entrance, too."""
        for application in _names(entrance, *((entrance.host, "") if entrance.host else (_ANY_HOST,))):
            same = self._same.get((application, entrance.match))
            ordered = self._ordered.get(application, ())
            paths = beginning_with(entrance.covers, ordered) if entrance.covers is not None else ()
            below = ((*self._begins[application][one], one) for one in paths)
            led = (
                behind for behind, is_part, one in below if leads(configuration, server, entrance, one, is_part=is_part)
            )
            found = same or next(led, None)
            if found is not None:
                return found
        return None


def _names(entrance: Entrance, *hosts: str) -> list[str]:
    """Return what is asked, at each of the addresses by each of the hosts: another one is another application."""
    return sorted(f"{application} {host}" for application in entrance.applications for host in dict.fromkeys(hosts))


def guarded_doors(configuration: Configuration) -> GuardedDoors:
    """Return every way that asks for a certificate, whatever else it may ask for."""
    return GuardedDoors(
        (server, entrance)
        for server in configuration.guarded
        for entrance in entrances(configuration, server)
        if _is_closed(configuration, server, entrance)
    )


def open_doors(configuration: Configuration, server: Server) -> Iterator[Entrance]:
    """Yield the ways through a server that anybody can take who reaches it over the network."""
    is_local = all(listen.is_unix for listen in server.listens)
    if server.rejects or is_local or return_code(server.level) is not None:
        return
    asks = server.verifies and configuration.speaks_tls(server)
    for entrance in entrances(configuration, server):
        is_led = bool(client_variables(configuration, *entrance.directive.arguments))
        is_asked = asks and (server.verify == "on" or _is_told(configuration, server, entrance))
        if not is_led and not is_asked and not _asks_otherwise(configuration, server, entrance):
            yield entrance


def is_nearer(server: Server, other: Server) -> bool:
    """Whether only this machine reaches the server, and the network the other one."""
    return _is_local(server) and not _is_local(other)


def _is_local(server: Server) -> bool:
    return all(listen.is_unix or _LOOPBACK.fullmatch(listen.socket) for listen in server.listens)


def _is_closed(configuration: Configuration, server: Server, entrance: Entrance) -> bool:
    if server.kind == "stream":
        return server.verify == "on" or bool(client_variables(configuration, *entrance.directive.arguments))
    return server.verify == "on" or any(
        client_variables(configuration, *guard.arguments) - _OF_REVOCATION
        and configuration.variables.behind(*guard.arguments).isdisjoint(_OF_PATH)
        for level in (server.level, *entrance.levels)
        for guard in guards(configuration, level)
    )


def _is_told(configuration: Configuration, server: Server, entrance: Entrance) -> bool:
    """Whether the client's certificate is looked at on the way, or the application is told of it and may look."""
    levels = (server.level, *entrance.levels)
    told = (text for level in levels for name in FORWARDING for one in level.all(name) for text in one.arguments)
    return any(is_guarded(configuration, level) for level in levels) or bool(client_variables(configuration, *told))


def _asks_otherwise(configuration: Configuration, server: Server, entrance: Entrance) -> bool:
    levels = (server.level, *entrance.levels)
    is_shut = any(one.arguments == ("all",) for one in levels[-1].all("deny"))
    return is_shut or any(has_access_rules(level) or _tells_apart(configuration, level) for level in levels)


def _tells_apart(configuration: Configuration, level: Level) -> bool:
    """Whether a condition of the level refuses some clients by what they are."""
    conditions = (one for one in level.inside("if") if one.block is not None and return_code(one) is not None)
    texts = chain.from_iterable(one.block.arguments for one in conditions if one.block is not None)
    origins = configuration.variables.behind(*texts)
    return not origins.isdisjoint(_WHO) or any(_SECRET.match(name) for name in origins)
