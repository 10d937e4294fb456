"""Where a configuration decides about a client by what nginx knows of its certificate.

A guard is an ``if`` whose condition draws on a ``$ssl_client_*`` variable, however many maps lie between, and which
does more than set a variable; or Lua that asks for one. Something opaque, such as a subrequest, njs or a file of Lua,
may be one: it is taken for a guard where the configuration leaves the decision to somebody, as ``optional`` does. nginx
runs the ``if`` of a level for that level alone: those of the server for every request, those of a location for no
location inside it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from counterseal.nginx.lint.answers import PASSES
from counterseal.nginx.lint.locations import find_location
from counterseal.nginx.lint.variables import PROGRAM

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
_PHASES = ("server_rewrite", "rewrite", "access", "content")
_OPAQUE = ("auth_request", "js_access", "js_content", *(f"{phase}_by_lua_file" for phase in _PHASES))
_LUA = (*(f"{phase}_by_lua_block" for phase in _PHASES), "rewrite_by_lua", "access_by_lua", "content_by_lua")
_ELSEWHERE = re.compile(r"\b(?:require|dofile|loadfile|capture|capture_multi)\b")
"""Words by which Lua hands a decision on to code, or a subrequest, that is not here."""
_LEFT_OPEN = frozenset({"optional", "optional_no_ca"})
_REFUSALS = frozenset({"400", "401", "403", "404"})
_OF_SUBREQUEST = frozenset({"401", "403"})
_NO_DECISION = frozenset({"set", "log_format", "access_log", "add_header", "add_trailer"})


def client_variables(configuration: Configuration, *texts: str) -> frozenset[str]:
    """Return the ``ssl_client_*`` variables that the texts draw on."""
    return frozenset(name for name in configuration.variables.behind(*texts) if name.startswith(CLIENT))


def asks_program(configuration: Configuration, *texts: str) -> bool:
    """Whether the texts draw on a variable that a program makes, of whatever it likes."""
    return PROGRAM in configuration.variables.behind(*texts)


def guards(configuration: Configuration, level: Level) -> Iterator[Directive]:
    """Yield what decides about the client on this very level, and what may where somebody has to."""
    yield from (one for one in _conditions(level) if client_variables(configuration, *one.arguments))
    yield from (one for one in _lua(level) if CLIENT in _code(one))
    if level.value("ssl_verify_client") in _LEFT_OPEN:
        yield from _opaque(configuration, level)


def _conditions(level: Level) -> Iterator[Directive]:
    """Yield every ``if`` that does more than set a variable."""
    for condition in level.inside("if"):
        if condition.block is not None and any(inner.name not in _NO_DECISION for inner in condition.directives):
            yield condition.block


def _opaque(configuration: Configuration, level: Level) -> Iterator[Directive]:
    """Yield what may decide about the client, though nobody can tell from the configuration."""
    yield from (one for one in _conditions(level) if asks_program(configuration, *one.arguments))
    yield from (one for one in _lua(level) if CLIENT not in _code(one) and _ELSEWHERE.search(_code(one)))
    for name in _OPAQUE:
        yield from (one for one in level.here(name) if one.arguments != ("off",))


def _is_passed_on(server: Server, one: Directive) -> bool:
    """Whether it is a subrequest that a plain location hands to an application, with what it tells that one."""
    location = find_location(server, one.arguments[0]) if one.name == "auth_request" and one.arguments else None
    return location is not None and any(location.here(name) for name in PASSES)


def _lua(level: Level) -> Iterator[Directive]:
    for name in _LUA:
        yield from level.here(name)


def _code(directive: Directive) -> str:
    return directive.block.code if directive.block and directive.block.code else " ".join(directive.arguments)


def refusals(configuration: Configuration, level: Level) -> frozenset[str]:
    """Return the codes with which the conditions of this very level refuse a client, or a subrequest may."""
    returns = (
        returned.arguments[0]
        for condition in level.inside("if")
        if condition.block is not None and client_variables(configuration, *condition.block.arguments)
        for returned in condition.here("return")
        if returned.arguments
    )
    asked = level.effective("auth_request")
    is_asked = asked is not None and asked.arguments != ("off",) and level.value("ssl_verify_client") in _LEFT_OPEN
    return frozenset(returns) & _REFUSALS | (_OF_SUBREQUEST if is_asked else frozenset())


def is_guarded(configuration: Configuration, level: Level) -> bool:
    """Whether something decides, or may, on this level or in the access phase, whose directives are inherited."""
    if any(True for one in (guards, _opaque) for _ in one(configuration, level)):
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

    What is only logged, shown in a response or set and never looked at does not count. Lua that asks for any, and
    something opaque, count as ``ssl_client_verify``: they may ask for it. A subrequest to an application knows what
    that one is told.
    """
    texts: list[str] = []
    is_asked = False
    for level in server.levels:
        is_asked |= any(CLIENT in _code(one) for one in _lua(level)) or any(
            not _is_passed_on(server, one) for one in _opaque(configuration, level)
        )
        texts += (text for condition in level.inside("if") if condition.block for text in condition.block.arguments)
        texts += (text for name in FORWARDING for one in level.all(name) for text in one.arguments)
        texts += (text for one in level.here("return") for text in _redirect(one))
    is_asked |= asks_program(configuration, *texts)
    return client_variables(configuration, *texts) | ({"ssl_client_verify"} if is_asked else set())


def _redirect(directive: Directive) -> tuple[str, ...]:
    """Return where a ``return`` sends the client; a text that it merely shows decides nothing."""
    arguments = directive.arguments
    if len(arguments) == 1:
        return arguments
    return arguments[1:] if arguments and arguments[0].startswith("3") else ()
