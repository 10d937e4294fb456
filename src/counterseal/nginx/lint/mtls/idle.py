"""Settings for verifying clients that stand where no client is verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.lint.edit import insert_before, replace_word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.edit import Edit
    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive


DECISION = "whether clients are to be verified here; else this line goes"


def find_idle(configuration: Configuration, name: str) -> Iterator[tuple[Directive, Level]]:
    """Yield the directives of that name that no server makes use of, with the level they stand on.

    One outside the servers is idle when no server below it verifies: a single one-way server among them is normal.
    Servers that verify by Lua are left alone.
    """
    verifying = {id(level) for server in configuration.servers if _asks(server) for level in _upward(server.level)}
    for server in configuration.servers:
        for level in _upward(server.level):
            directive = level.file(name) if level.here(name) else None
            if directive is not None and directive.arguments[:1] not in {(), ("off",)} and id(level) not in verifying:
                yield directive, level


def verifying(level: Level, directive: Directive) -> tuple[Edit, ...]:
    """Return the edits that have clients verified on that level, whose directive is of no use so far."""
    named = level.file("ssl_client_certificate") is not None
    edits = () if named else (insert_before(directive, "ssl_client_certificate <client-ca.pem>;"),)
    switches = level.here("ssl_verify_client")
    if switches:
        return (*edits, replace_word(switches[-1], 0, "on"))
    return (*edits, insert_before(directive, "ssl_verify_client on;"))


def _asks(server: Server) -> bool:
    by_lua = ("ssl_certificate_by_lua_block", "ssl_certificate_by_lua_file", "ssl_client_hello_by_lua_block")
    return server.verifies or any(server.level.all(one) for one in by_lua)


def _upward(level: Level) -> Iterator[Level]:
    around: Level | None = level
    while around is not None:
        yield around
        around = around.parent
