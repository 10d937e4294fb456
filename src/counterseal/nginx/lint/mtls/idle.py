"""Settings for verifying clients that stand where no client is verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive


def find_idle(configuration: Configuration, name: str) -> Iterator[tuple[Directive, Level]]:
    """Yield the directives of that name that no server makes use of, with the level they stand on.

    One outside the servers is idle when no server below it verifies: a single one-way server among them is normal.
    Servers that verify by Lua are left alone.
    """
    verifying = {id(level) for server in configuration.servers if _asks(server) for level in _upward(server.level)}
    for server in configuration.servers:
        for level in _upward(server.level):
            directive = level.file(name) if level.here(name) else None
            if directive is not None and directive.arguments[0] != "off" and id(level) not in verifying:
                yield directive, level


def _asks(server: Server) -> bool:
    by_lua = ("ssl_certificate_by_lua_block", "ssl_certificate_by_lua_file", "ssl_client_hello_by_lua_block")
    return server.verifies or any(server.level.all(one) for one in by_lua)


def _upward(level: Level) -> Iterator[Level]:
    around: Level | None = level
    while around is not None:
        yield around
        around = around.parent
