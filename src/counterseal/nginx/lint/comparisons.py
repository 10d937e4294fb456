"""Where a configuration compares a variable with something: the keys of a map, the condition of an ``if``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.nginx.lint.edit import Edit
from counterseal.nginx.lint.variables import variables_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.lint.model import Configuration, Server
    from counterseal.nginx.tree import Directive

_NO_KEYS = frozenset({"default", "hostnames", "volatile", "include"})
_OPERATORS = ("!~*", "!~", "~*", "~", "!=", "=")


@dataclass(frozen=True, slots=True)
class Comparison:
    """``subject`` (a text with variables) is compared by ``operator`` with ``value``; ``directive`` is where.

    ``outcome`` is what a map gives for the key; None for an ``if``, which ``directive`` then is. ``source`` is where
    the subject stands: the map, or the same ``if``.
    """

    subject: str
    operator: str
    value: str
    directive: Directive
    source: Directive
    outcome: str | None = None

    @property
    def variables(self) -> frozenset[str]:
        """The variables that are compared, without what they are made from."""
        return variables_in(self.subject)

    @property
    def is_regex(self) -> bool:
        """Whether the value is a regular expression."""
        return "~" in self.operator


def rewritten(one: Comparison, value: str) -> tuple[Edit, ...]:
    """Return the edit that writes another value there."""
    word = next((word for word in one.directive.words if one.value in word.raw), None)
    if word is None:
        return ()
    return (Edit(one.directive.file, word.line, word.column, word.raw, word.raw.replace(one.value, value)),)


def renamed(one: Comparison, old: str, new: str) -> tuple[Edit, ...]:
    """Return the edit that has another variable compared; names are given without the dollar sign."""
    variable = re.compile(rf"(?<=\$){old}\b|(?<=\$\{{){old}(?=\}})", re.IGNORECASE)
    word = next((word for word in one.source.words[1:] if variable.search(word.raw)), None)
    if word is None:
        return ()
    return (Edit(one.source.file, word.line, word.column, word.raw, variable.sub(new, word.raw)),)


def comparisons(configuration: Configuration) -> Iterator[Comparison]:
    """Yield every key of every map, then every condition with two sides."""
    yield from comparisons_for(configuration, *configuration.servers)


def comparisons_for(configuration: Configuration, *servers: Server) -> Iterator[Comparison]:
    """Yield the same, with the conditions of these servers alone."""
    for one in configuration.maps:
        yield from map_comparisons(one)
    for server in servers:
        for _, condition in server.conditions:
            found = read_condition(condition.block) if condition.block else None
            if found is not None:
                yield found


def map_comparisons(directive: Directive) -> Iterator[Comparison]:
    """Yield the keys of a map; the default is none."""
    subject = directive.arguments[0] if directive.arguments else ""
    for entry in directive.directives:
        if entry.name in _NO_KEYS or not entry.arguments:
            continue
        operator = next((one for one in ("~*", "~") if entry.name.startswith(one)), "=")
        value = entry.name[len(operator) :] if operator != "=" else entry.name.removeprefix("\\")
        yield Comparison(subject, operator, value, entry, directive, entry.arguments[0])


def read_condition(directive: Directive) -> Comparison | None:
    """Read ``if ($variable = value)``; None for a condition with one side, or about files."""
    words = list(directive.arguments)
    if not words or not words[0].startswith("("):
        return None
    first, last = words[0].removeprefix("("), words[-1].removesuffix(")")
    words = [*filter(None, [first]), *words[1:-1], *filter(None, [last])]  # one in between may be empty: = ""
    if len(words) != len(("subject", "operator", "value")) or words[1] not in _OPERATORS:
        return None
    return Comparison(words[0], words[1], words[2], directive, directive)
