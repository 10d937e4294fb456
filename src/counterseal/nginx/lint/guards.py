"""Where a configuration decides about a client by what nginx knows of its certificate.

A guard is an ``if`` whose condition draws on a ``$ssl_client_*`` variable, however many maps lie between, and which
does more than set a variable; or something opaque that may decide: a subrequest, Lua, njs. nginx runs the ``if`` of a
level for that level alone: those of the server for every request, those of a location for no location inside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive

CLIENT = "ssl_client_"
FORWARDING = frozenset({
    "proxy_set_header", "grpc_set_header", "fastcgi_param", "uwsgi_param", "scgi_param", "proxy_set_body",
    "proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass",
    "rewrite", "try_files", "root", "alias", "auth_basic",
})  # fmt: skip
"""Directives by which a variable reaches an application or chooses what is answered, and whom a password is asked."""
_OPAQUE = frozenset(
    ["auth_request", "js_access", "js_content", "access_by_lua_file", "rewrite_by_lua_file", "content_by_lua_file"]
)
_LUA = ("access_by_lua_block", "rewrite_by_lua_block", "content_by_lua_block", "access_by_lua", "rewrite_by_lua")
_REFUSALS = frozenset({"400", "401", "403", "404"})
_NO_DECISION = frozenset({"set", "log_format", "access_log", "add_header", "add_trailer"})


def client_variables(configuration: Configuration, *texts: str) -> frozenset[str]:
    """Return the ``ssl_client_*`` variables that the texts draw on."""
    return frozenset(name for name in configuration.variables.behind(*texts) if name.startswith(CLIENT))


def guards(configuration: Configuration, level: Level) -> Iterator[Directive]:
    """Yield what decides about the client on this very level."""
    for condition in level.inside("if"):
        block = condition.block
        decides = any(inner.name not in _NO_DECISION for inner in condition.directives)
        if block is not None and decides and client_variables(configuration, *block.arguments):
            yield block
    for name in _OPAQUE:
        yield from level.here(name)
    for name in _LUA:
        yield from (one for one in level.here(name) if _lua_asks(one))


def refusals(configuration: Configuration, level: Level) -> frozenset[str]:
    """Return the codes with which the conditions of this very level refuse a client."""
    returns = (
        returned.arguments[0]
        for condition in level.inside("if")
        if condition.block is not None and client_variables(configuration, *condition.block.arguments)
        for returned in condition.here("return")
        if returned.arguments
    )
    return frozenset(returns) & _REFUSALS


def is_guarded(configuration: Configuration, level: Level) -> bool:
    """Whether something decides on this level, or in the access phase, whose directives are inherited."""
    if any(True for _ in guards(configuration, level)):
        return True
    inherited = (*level.all("auth_request"), *level.all("access_by_lua_block"), *level.all("access_by_lua_file"))
    return any(one.arguments != ("off",) for one in inherited)


def is_pinned(configuration: Configuration, server: Server) -> bool:
    """Whether every request to the server is judged by the issuer of its certificate.

    A stream server has no ``if``: there it is decided by where ``proxy_pass`` leads.
    """
    deciding = server.level.all("proxy_pass") if server.kind == "stream" else guards(configuration, server.level)
    return any("ssl_client_i_dn" in client_variables(configuration, *one.arguments) for one in deciding)


def uses_of_client(configuration: Configuration, server: Server) -> frozenset[str]:
    """Return the ``ssl_client_*`` variables by which the server decides, or which it hands to an application.

    What is only logged, shown in a response or set and never looked at does not count. Something opaque counts as
    ``ssl_client_verify``: it may ask for it.
    """
    used: set[str] = set()
    for level in server.levels:
        if _is_opaque(level):
            used.add("ssl_client_verify")
        for condition in level.inside("if"):
            used |= client_variables(configuration, *(condition.block.arguments if condition.block else ()))
        for name in FORWARDING:
            for directive in level.all(name):
                used |= client_variables(configuration, *directive.arguments)
        for directive in level.here("return"):
            used |= client_variables(configuration, *_redirect(directive))
    return frozenset(used)


def _is_opaque(level: Level) -> bool:
    return any(level.here(name) for name in _OPAQUE) or any(_lua_asks(one) for name in _LUA for one in level.here(name))


def _lua_asks(directive: Directive) -> bool:
    code = directive.block.code if directive.block and directive.block.code else " ".join(directive.arguments)
    return CLIENT in code


def _redirect(directive: Directive) -> tuple[str, ...]:
    """Return where a ``return`` sends the client; a text that it merely shows decides nothing."""
    arguments = directive.arguments
    if len(arguments) == 1:
        return arguments
    return arguments[1:] if arguments and arguments[0].startswith("3") else ()
