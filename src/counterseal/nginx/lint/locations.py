"""Which location takes a request, as far as that can be told without one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from counterseal.nginx.lint.answers import location_match

if TYPE_CHECKING:
    from counterseal.nginx.lint.level import Level
    from counterseal.nginx.lint.model import Server

_LITERAL = re.compile(r"\^((?:[A-Za-z0-9/_~-]|\\[./-])*)(?![*?+{])")
PREFIXES = frozenset({"", "^~"})
"""The modifiers of locations that match by the beginning of a path."""


def find_location(server: Server, target: str) -> Level | None:
    """Return the location of an internal redirect: a named one, an exact one, or the longest prefix; no nested ones.

    Regular expressions are left out: which one matches depends on the rest of the path.
    """
    outer = [(location_match(location), location) for location in server.level.inside("location")]
    if target.startswith("@"):
        return next((one for (modifier, name), one in outer if modifier == "@" and name == target[1:]), None)
    path = target.partition("?")[0]
    exact = next((one for (modifier, name), one in outer if modifier == "=" and name == path), None)
    prefixes = [(name, one) for (modifier, name), one in outer if modifier in PREFIXES and path.startswith(name)]
    return exact or max(prefixes, key=lambda pair: len(pair[0]), default=("", None))[1]


def can_match_below(location: Level, prefix: str) -> bool:
    """Whether a regular-expression location can match a path that begins with ``prefix``; when in doubt, yes."""
    modifier, pattern = location_match(location)
    if modifier not in {"~", "~*"}:
        return False
    literal = _LITERAL.match(pattern)
    if literal is None:
        return True
    beginning = literal[1].replace("\\", "")
    if modifier == "~*":
        beginning, prefix = beginning.lower(), prefix.lower()
    return beginning.startswith(prefix) or prefix.startswith(beginning)
