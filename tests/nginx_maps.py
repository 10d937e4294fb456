"""Rendered maps looked up without nginx: the first regular expression that matches decides."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from counterseal.nginx.parse import parse
from counterseal.nginx.tree import walk

if TYPE_CHECKING:
    from counterseal.nginx.tree import Directive


def find_map(text: str, name: str) -> Directive:
    """Return the map block behind the variable ``name``."""
    maps = (placed.directive for placed in walk(parse(text)) if placed.directive.name == "map")
    return next(found for found in maps if found.arguments[1] == name)


def look_up(block: Directive, source: str) -> str:
    """Return the value for ``source``; captures are put in, variables left as they are."""
    for case in block.directives:
        if case.name.startswith("~"):
            match = re.search(case.name[1:].replace(r"\z", r"\Z"), source)
            if match:
                return _filled(case.arguments[0], match)
    return next(case.arguments[0] for case in block.directives if case.name == "default")


def _filled(value: str, match: re.Match[str]) -> str:
    return re.sub(r"\$(\d)", lambda group: match[int(group[1])] or "", value)
