"""By which locations and stream servers an application is reached, and at which of its paths.

An application is told by its addresses: who reaches one member of an upstream group has reached the application, by
whatever name. Its paths are those that it is asked for: ``proxy_pass http://app/;`` in ``location /api/`` asks for
``/``. A regular expression is known by its literal beginning, or only as equal to another one. Where a variable says
whom to ask, the map that makes it is looked at, and beyond that nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.nginx.lint.answers import PASSES, application, is_reachable
from counterseal.nginx.lint.locations import (
    PREFIXES,
    REGEX,
    find_location,
    regex_beginning,
    regex_beginnings,
    takes,
    whole_beginning,
)
from counterseal.nginx.lint.passing import members, read_uri
from counterseal.nginx.lint.remembered import remembered
from counterseal.nginx.lint.variables import bare_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive


@dataclass(frozen=True, slots=True, eq=False)
class Entrance:
    """One way to an application: ``levels`` are those that a request goes through, the location that takes it first.

    ``match`` is the modifier and the path that the application is asked for, or the pattern. ``begins`` is how each of
    these paths begins, and ``covers`` the beginning below which all of them lead here; None where that is not known.
    ``host`` is the one that the application is always asked for, empty where that depends on the request.
    """

    levels: tuple[Level, ...]
    directive: Directive
    applications: frozenset[str]
    match: tuple[str, str]
    begins: str | None
    covers: str | None
    host: str = ""

    @property
    def is_part(self) -> bool:
        """Whether it is for some of the paths that begin so, as an expression chooses them."""
        return self.match[0] in REGEX and self.covers is None


@remembered
def entrances(configuration: Configuration, server: Server) -> tuple[Entrance, ...]:
    """Return the ways through a server to the applications behind it that a client can take."""
    return tuple(_entrances(configuration, server))


def _entrances(configuration: Configuration, server: Server) -> Iterator[Entrance]:
    if server.kind == "stream":
        for directive in server.level.here("proxy_pass"):
            known = _applications(configuration, server.level, directive)
            yield Entrance((server.level,), directive, known, ("", "/"), "/", "/")
    for location in server.locations if server.kind == "http" else ():
        levels = (location, *_fallback(server, location))
        passing = application(levels[-1])
        if passing is not None and passing.name in PASSES and is_reachable(location):
            known = _applications(configuration, levels[-1], passing)
            match, begins, covers = _paths(location, passing)
            yield Entrance(levels, passing, known, match, begins, covers, _host(levels[-1], passing))


def leads(configuration: Configuration, server: Server, entrance: Entrance, path: str, *, is_part: bool) -> bool:
    """Whether requests below a path of the application, which the entrance covers, do lead through it.

    Another location of the server may take them first: a longer prefix, or a regular expression; where they are but a
    part of what is below, one with the same beginning is taken to be about them.
    """
    location = entrance.levels[0]
    if is_part and path in regex_beginnings(configuration, server):
        return False
    if location.name != "location" or location.match[0] not in PREFIXES:
        return True
    taken = takes(configuration, server, location.match[1] + path.removeprefix(entrance.covers or ""))
    around: Level | None = location
    while around is not None and around is not taken:
        around = around.parent
    return around is not None


def _fallback(server: Server, location: Level) -> tuple[Level, ...]:
    """Return the named location to which ``try_files`` hands what is no file, as in ``try_files $uri @app;``."""
    last = next((one.arguments[-1] for one in location.here("try_files") if one.arguments), "")
    named = find_location(server, last) if last.startswith("@") else None
    return () if named is None or application(location) is not None else (named,)


def _paths(location: Level, directive: Directive) -> tuple[tuple[str, str], str | None, str | None]:
    modifier, pattern = location.match
    if modifier in REGEX:
        around = _path_around(location)
        return (modifier, f"{around} {pattern}"), regex_beginning(location) or around, whole_beginning(location)
    path = read_uri(directive) or pattern
    kind = "" if modifier in PREFIXES else modifier
    return (kind, path), path, None if kind else path


def _path_around(location: Level) -> str | None:
    """Return the path of the location around a nested one, by which all of its requests begin."""
    around = location.parent
    if around is None or around.name != "location":
        return None
    modifier, path = around.match
    return path if modifier in PREFIXES else None


def _applications(configuration: Configuration, level: Level, directive: Directive) -> frozenset[str]:
    """Return the addresses behind a ``..._pass``, for FastCGI with the script that is run."""
    texts = directive.arguments[:1]
    if texts and texts[0].startswith("$"):
        made = (one for one in configuration.maps if bare_name("".join(one.arguments[1:])) == bare_name(texts[0]))
        texts = tuple(entry.arguments[0] for one in made for entry in one.directives if entry.arguments)
    script = _script(level) if directive.name == "fastcgi_pass" else ""
    return frozenset(f"{address}{script}" for text in texts for address in members(configuration, text))


def _host(level: Level, directive: Directive) -> str:
    """Return the literal ``Host`` that ``proxy_pass`` sends, in lower case."""
    sent = level.all("proxy_set_header") if directive.name == "proxy_pass" else ()
    told = [one.arguments[1] for one in sent if len(one.arguments) > 1 and one.arguments[0].lower() == "host"]
    return told[-1].lower() if told and "$" not in told[-1] else ""


def _script(level: Level) -> str:
    """Return which script a FastCGI application is told to run: those of two roots are two applications."""
    told = [one.arguments[1] for one in level.all("fastcgi_param") if one.arguments[:1] == ("SCRIPT_FILENAME",)]
    root = level.value("alias") or level.value("root")
    return "".join(f" {text}".replace("$document_root", root).replace("$realpath_root", root) for text in told[-1:])
