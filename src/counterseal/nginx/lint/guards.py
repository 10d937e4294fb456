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
from counterseal.nginx.lint.remembered import remembered
from counterseal.nginx.lint.variables import PROGRAM
from counterseal.nginx.lint.verdicts import sends_to_tls

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
_TELLING = ("proxy_set_header", "grpc_set_header", "fastcgi_param", "uwsgi_param", "scgi_param")
_PHASES = ("server_rewrite", "rewrite", "access", "content")
_OPAQUE = ("auth_request", "js_access", "js_content", *(f"{phase}_by_lua_file" for phase in _PHASES))
_LUA = (*(f"{phase}_by_lua_block" for phase in _PHASES), "rewrite_by_lua", "access_by_lua", "content_by_lua")
_DECIDING = frozenset({"if", *_OPAQUE, *_LUA})
_ELSEWHERE = re.compile(r"\b(?:require|dofile|loadfile|capture|capture_multi)\b")
"""Words by which Lua hands a decision on to code, or a subrequest, that is not here."""
_LEFT_OPEN = frozenset({"optional", "optional_no_ca"})
_REFUSALS = frozenset({"400", "401", "403", "404"})
_OF_SUBREQUEST = frozenset({"401", "403"})
_NO_DECISION = frozenset({"set", "log_format", "access_log", "add_header", "add_trailer"})


def client_variables(configuration: Configuration, *texts: str) -> frozenset[str]:
    """Return the ``ssl_client_*`` variables that the texts draw on."""
    return frozenset(name for name in configuration.variables.behind(*texts) if name.startswith(CLIENT))


def told(configuration: Configuration, level: Level) -> frozenset[str]:
    """Return the ``ssl_client_*`` variables that an application is told on this level."""
    texts = (text for name in _TELLING for one in level.all(name) for text in one.arguments[1:])
    return client_variables(configuration, *texts)


def asks_program(configuration: Configuration, *texts: str) -> bool:
    """Whether the texts draw on a variable that a program makes, of whatever it likes."""
    return PROGRAM in configuration.variables.behind(*texts)


@remembered
def guards(configuration: Configuration, level: Level) -> tuple[Directive, ...]:
    """Return what decides about the client on this very level, and what may where somebody has to."""
    if level.own.keys().isdisjoint(_DECIDING):
        return ()
    conditions = (one for one in _conditions(level) if client_variables(configuration, *one.arguments))
    scripts = (one for one in _lua(level) if CLIENT in _code(one))
    is_left_open = level.value("ssl_verify_client") in _LEFT_OPEN
    return (*conditions, *scripts, *(_opaque(configuration, level) if is_left_open else ()))


@remembered
def deciding(configuration: Configuration, server: Server) -> tuple[Directive, ...]:
    """Return what decides about the client on any level of the server."""
    return tuple(guard for level in dict.fromkeys(server.having(*_DECIDING)) for guard in guards(configuration, level))


def _conditions(level: Level) -> Iterator[Directive]:
    """Yield every ``if`` that does more than set a variable, or send plain HTTP to TLS."""
    for condition in level.inside("if"):
        is_decision = any(inner.name not in _NO_DECISION for inner in condition.directives)
        if condition.block is not None and is_decision and not sends_to_tls(condition):
            yield condition.block


def _opaque(configuration: Configuration, level: Level) -> Iterator[Directive]:
    """Yield what may decide about the client, though nobody can tell from the configuration."""
    if level.own.keys().isdisjoint(_DECIDING):
        return
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


@remembered
def is_guarded(configuration: Configuration, level: Level) -> bool:
    """Whether something decides, or may, on this level or in the access phase, whose directives are inherited."""
    if guards(configuration, level) or any(True for _ in _opaque(configuration, level)):
        return True
    inherited = (*level.all("auth_request"), *level.all("access_by_lua_block"), *level.all("access_by_lua_file"))
    return any(one.arguments != ("off",) for one in inherited)


def is_pinned(configuration: Configuration, server: Server) -> bool:
    """Whether every request to the server is judged by the issuer of its certificate."""
    return any(True for _ in deciding_by(configuration, server, frozenset({"ssl_client_i_dn"})))


def deciding_by(configuration: Configuration, server: Server, variables: frozenset[str]) -> Iterator[Directive]:
    """Yield what judges every request to the server by one of the variables.

    A stream server has no ``if``: there it is decided by where ``proxy_pass`` leads.
    """
    deciding = server.level.all("proxy_pass") if server.kind == "stream" else guards(configuration, server.level)
    return (one for one in deciding if client_variables(configuration, *one.arguments) & variables)


@remembered
def uses_of_client(configuration: Configuration, server: Server) -> frozenset[str]:
    """Return the ``ssl_client_*`` variables by which the server decides, or which it hands to an application.

    What is only logged, shown in a response or set and never looked at does not count. Lua that asks for any, and
    something opaque, count as ``ssl_client_verify``: they may ask for it. A subrequest to an application knows what
    that one is told.
    """
    texts = [text for one in conditions_and_forwarding(server) for text in one.arguments]
    texts += (text for level in server.having("return") for one in level.here("return") for text in _redirect(one))
    scripts = (one for level in server.having(*_LUA) for one in _lua(level))
    opaque = (one for level in server.having(*_DECIDING) for one in _opaque(configuration, level))
    is_asked = (
        asks_program(configuration, *texts)
        or any(CLIENT in _code(one) for one in scripts)
        or any(not _is_passed_on(server, one) for one in opaque)
    )
    return client_variables(configuration, *texts) | ({"ssl_client_verify"} if is_asked else set())


def conditions_and_forwarding(server: Server) -> Iterator[Directive]:
    """Yield every condition of the server that may be about a client, and what tells an application something."""
    yield from (one.block for _, one in server.conditions if one.block and not sends_to_tls(one))
    for name in FORWARDING:
        yield from server.level.all(name)
        yield from (one for level in server.having(name) if level is not server.level for one in level.here(name))


def _redirect(directive: Directive) -> tuple[str, ...]:
    """Return where a ``return`` sends the client; a text that it merely shows decides nothing."""
    arguments = directive.arguments
    if len(arguments) == 1:
        return arguments
    return arguments[1:] if arguments and arguments[0].startswith("3") else ()
