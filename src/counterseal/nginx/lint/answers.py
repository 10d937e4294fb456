"""How a level answers a request: by an application, by a file, by a code; and whether it answers to anybody at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Server
    from counterseal.nginx.tree import Directive

PASSES = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass")
_PROGRAMS = ("js_content", "perl", "content_by_lua_block", "content_by_lua_file", "content_by_lua")
_CHALLENGES = "/.well-known/"
_SUCCESS = "2"


def application(level: Level) -> Directive | None:
    """Return the directive that hands requests of this level to an application, or None."""
    return next((found[0] for name in (*PASSES, *_PROGRAMS) if (found := level.here(name))), None)


def return_code(level: Level) -> str | None:
    """Return the code of an unconditional ``return`` of this level; a bare URL is a 302. None without one."""
    found = level.here("return")
    if not found or not found[0].arguments:
        return None
    first = found[0].arguments[0]
    return first if first.isdigit() else "302"


def succeeds(level: Level) -> bool:
    """Whether the level answers 2xx by a ``return`` of its own."""
    return (return_code(level) or "").startswith(_SUCCESS)


def is_reachable(location: Level) -> bool:
    """Whether a client can get an answer other than a refusal from this location by asking for it."""
    modifier, pattern = location.match
    if modifier == "@" or location.here("internal") or pattern.startswith(_CHALLENGES):
        return False
    if any(deny.arguments == ("all",) for deny in location.here("deny")) and not location.here("allow"):
        return succeeds(location)
    return return_code(location) is None or succeeds(location)


def has_access_rules(level: Level) -> bool:
    """Whether a password, an address or a program decides who gets an answer here."""
    names = ("auth_basic", "auth_request", "auth_jwt", "allow", "access_by_lua_block", "access_by_lua_file")
    return any(one.arguments not in {("off",), ("all",)} for name in names for one in level.all(name))


def serves_content(server: Server) -> bool:
    """Whether a server answers with more than redirects, refusals, challenges and single fixed lines."""
    code = return_code(server.level)
    if code is not None:
        return code.startswith(_SUCCESS)
    outer = server.level.inside("location")
    reachable = [location for location in outer if is_reachable(location)]
    exact = [location for location in reachable if location.match[0] == "=" and succeeds(location)]
    catches_all = any(location.match in {("", "/"), ("^~", "/")} for location in outer)
    return len(reachable) > len(exact) or not catches_all
