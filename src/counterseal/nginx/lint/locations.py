"""Which location takes a request, as far as that can be told without one."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from counterseal.nginx.lint.level import grouped
from counterseal.nginx.lint.remembered import remembered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Configuration, Server

_LITERAL = re.compile(r"\^((?:[A-Za-z0-9/_~-]|\\[./-])*)(?![*?+{])")
_REST = re.compile(r"(?:\.\*|\(\.\*\))\$?\Z")
REGEX = frozenset({"~", "~*"})
"""Those that match by a regular expression."""
_NAMED_GROUP = re.compile(r"(?<!\\)\(\?<(?=[A-Za-z_])")
_POSIX_CLASS = re.compile(r"\[:(\^?\w+):\]")
_OF_POSIX = {
    "alnum": "A-Za-z0-9", "alpha": "A-Za-z", "digit": "0-9", "lower": "a-z", "upper": "A-Z", "space": r"\s",
    "word": r"\w", "xdigit": "A-Fa-f0-9",
}  # fmt: skip
_REPEATED_GROUP = re.compile(r"(?<!\\)\)[*+{]")
_LONGEST_PROBE = 200
"""Of the paths that are tried on expressions: every ``.*`` of one makes it so many times slower."""
_LONGEST_WORD = 4096
"""What nginx's buffer for a word of its configuration takes."""
PREFIXES = frozenset({"", "^~"})
"""The modifiers of locations that match by the beginning of a path."""


def find_location(server: Server, target: str) -> Level | None:
    """Return the location of an internal redirect: a named one, an exact one, or the longest prefix; no nested ones.

    Regular expressions are left out: which one matches depends on the rest of the path.
    """
    outer = server.locations_by_match
    if target.startswith("@"):
        return outer.get(("@", target[1:]))
    path = target.partition("?")[0]
    prefixes = (path[:length] for length in range(min(len(path), _LONGEST_WORD), -1, -1))
    longest_first = (("=", path), *((modifier, prefix) for prefix in prefixes for modifier in PREFIXES))
    return next((outer[match] for match in longest_first if match in outer), None)


def beginning_with(prefix: str, ordered: Sequence[str]) -> Sequence[str]:
    """Return those of sorted texts that begin with a prefix."""
    first = bisect_left(ordered, prefix)
    return ordered[first : bisect_right(ordered, prefix, first, key=lambda text: text[: len(prefix)])]


def takes(configuration: Configuration, server: Server, path: str) -> Level | None:
    """Return the outer location that answers a path; None also where an expression is not one that we can try."""
    nearest = find_location(server, path)
    if nearest is not None and nearest.match[0] in {"=", "^~"}:
        return nearest
    expressions = _expressions(configuration, server)
    if expressions and len(path) > _LONGEST_PROBE:
        return None
    for expression, location in expressions:
        if expression is None or expression.search(path):
            return location if expression else None
    return nearest


@remembered
def _expressions(_: Configuration, server: Server) -> tuple[tuple[re.Pattern[str] | None, Level], ...]:
    outer = server.locations_by_match.items()
    found = ((_compiled(modifier, pattern), one) for (modifier, pattern), one in outer if modifier in REGEX)
    return tuple(found)


def _compiled(modifier: str, pattern: str) -> re.Pattern[str] | None:
    """Return an expression of PCRE as one of Python, or None; a group that repeats may take time without end."""
    if _REPEATED_GROUP.search(pattern):
        return None
    try:
        named = _NAMED_GROUP.sub("(?P<", pattern)
        translated = _POSIX_CLASS.sub(lambda one: _OF_POSIX[one[1]], named)
        return re.compile(translated, re.IGNORECASE if modifier == "~*" else 0)
    except (KeyError, re.error, RecursionError, OverflowError):
        return None


class Prefixes:
    """Paths of locations in an order in which those that a regular expression may be about are found at once."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Take the paths."""
        self._by_lower = grouped((path.lower(), path) for path in paths)
        self._ordered = sorted(self._by_lower)

    def taken_by(self, location: Level) -> list[str]:
        """Return the paths below which a regular-expression location can match a request; when in doubt, it can."""
        start = (regex_beginning(location) or "").lower()
        above = (start[:length] for length in range(len(start)))
        near = (*above, *beginning_with(start, self._ordered))
        paths = (path for lower in near for path in self._by_lower.get(lower, ()))
        return [path for path in paths if can_match_below(location, path)]


def regex_beginning(location: Level) -> str | None:
    """Return how every path begins that a regular-expression location matches, as far as that is told; else None."""
    modifier, pattern = location.match
    literal = _LITERAL.match(pattern) if modifier in REGEX else None
    return literal[1].replace("\\", "") if literal else None


@remembered
def regex_beginnings(_: Configuration, server: Server) -> frozenset[str | None]:
    """Return how the paths begin that the regular-expression locations of a server match."""
    return frozenset(regex_beginning(location) for location in server.locations if location.match[0] in REGEX)


def whole_beginning(location: Level) -> str | None:
    """Return the beginning where a regular-expression location matches every path with it, as ``~ ^/admin/`` does."""
    modifier, pattern = location.match
    literal = _LITERAL.fullmatch(_REST.sub("", pattern)) if modifier == "~" else None
    return literal[1].replace("\\", "") if literal else None


def can_match_below(location: Level, prefix: str) -> bool:
    """Whether a regular-expression location can match a path that begins with ``prefix``; when in doubt, yes."""
    modifier, beginning = location.match[0], regex_beginning(location)
    if modifier not in REGEX or beginning is None:
        return modifier in REGEX
    if modifier == "~*":
        beginning, prefix = beginning.lower(), prefix.lower()
    return beginning.startswith(prefix) or prefix.startswith(beginning)
