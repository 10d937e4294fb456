"""Which variables a variable is made from, through ``map``, ``set`` and whatever else makes one from another.

Of a program (njs, Perl, a file of Lua) that makes one nothing is known: such a variable is made from ``PROGRAM``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from counterseal.nginx.tree import Directive

VARIABLE = re.compile(r"\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))")
"""A variable in a text; its name is one of the two groups, the one with braces or the other."""
PROGRAM = "(program)"
"""Stands for whatever a program asks nginx; no variable can have this name."""
_FROM_FIRST = frozenset({"map", "split_clients"})
_FROM_REST = frozenset({"set", "auth_request_set"})
_FROM_PROGRAM = frozenset({"js_set", "perl_set", "set_by_lua_file"})
_OF_LUA = re.compile(r"""\bngx\.var(?:\.|\[["'])([A-Za-z0-9_]+)""")


def variables_in(text: str) -> frozenset[str]:
    """Return the names of the variables in a text, without the dollar sign, in lower case as nginx compares them."""
    return (
        frozenset((braced or bare).lower() for braced, bare in VARIABLE.findall(text)) if "$" in text else frozenset()
    )


@dataclass(frozen=True, slots=True)
class Variables:
    """For each variable that the configuration makes, those it is made from by one directive or another."""

    made: Mapping[str, set[str]]
    _known: dict[tuple[str, ...], frozenset[str]] = field(default_factory=dict, init=False, repr=False)

    def behind(self, *texts: str) -> frozenset[str]:
        """Return the variables in the texts and all that those are made from, directly or not."""
        if texts not in self._known:  # a thousand locations look at the client in the same words
            self._known[texts] = frozenset(self._reached(_all_in(*texts)))
        return self._known[texts]

    def _reached(self, names: Iterable[str]) -> set[str]:
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(self.made.get(name, ()))
        return found


def read_variables(directives: Iterable[Directive]) -> Variables:
    """Read which variable is made from which, from every directive of the configuration with those inside it."""
    made: dict[str, set[str]] = defaultdict(set)
    for name, origins in _made(directives, frozenset()):
        made[name] |= origins
    return Variables(dict(made))


def _made(directives: Iterable[Directive], around: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield (variable, those it is made from); what is set inside an ``if`` depends on its condition, too."""
    for directive in directives:
        arguments = directive.arguments
        if directive.name in _FROM_FIRST and len(arguments) > 1:
            values = (value for entry in directive.directives for value in (entry.name, *entry.arguments))
            yield bare_name(arguments[1]), _all_in(arguments[0], *values)
        elif directive.name == "geo" and arguments:
            yield bare_name(arguments[-1]), _all_in(*arguments[:-1] or ("$remote_addr",))
        elif directive.name in _FROM_PROGRAM and arguments:
            yield bare_name(arguments[0]), frozenset({PROGRAM})
        elif (directive.name in _FROM_REST or _is_of_a_module(directive)) and arguments:
            yield bare_name(arguments[0]), _all_in(*arguments[1:]) | _in_lua(directive) | around
        elif directive.block is not None:
            inner = around | _all_in(*arguments) if directive.name == "if" else around
            yield from _made(directive.directives, inner)


def _is_of_a_module(directive: Directive) -> bool:
    """Whether it is one of those that modules add to ``set``: ``set_by_lua_block``, ``set_md5`` and many more."""
    return directive.name.startswith("set_") and directive.arguments[:1] != () and directive.arguments[0][:1] == "$"


def _in_lua(directive: Directive) -> frozenset[str]:
    """Return the variables that a directive with Lua asks for by name."""
    code = directive.block.code if directive.block else " ".join(directive.arguments[1:])
    return (
        frozenset(name.lower() for name in _OF_LUA.findall(code or "")) if "by_lua" in directive.name else frozenset()
    )


def _all_in(*texts: str) -> frozenset[str]:
    return frozenset[str]().union(*map(variables_in, texts))


def bare_name(name: str) -> str:
    """Return a variable as ``variables_in`` names it."""
    return name.removeprefix("$").strip("{}").lower()
