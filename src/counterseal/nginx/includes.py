"""A configuration as nginx sees it: every ``include`` replaced by what it names.

Reading is handed in; this module only decides what is asked for, and refuses a file that includes itself and a
configuration that grows beyond all measure. The expanded tree is for looking at (each directive still knows its own
file), not for writing back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from counterseal.errors import InputError
from counterseal.nginx.parse import DEEPEST, parse
from counterseal.nginx.tree import Block, Tree

if TYPE_CHECKING:
    from counterseal.nginx.tree import Directive

# The argument of an ``include`` as written -> (path, text) of every file it names, in nginx's order (sorted by name).
# nginx resolves a relative pattern against the directory of its main configuration file, not of the including one.
Read: TypeAlias = Callable[[str], Sequence[tuple[str, str | bytes]]]

MOST = 2_000_000
"""More directives than any configuration has; files that include one another twice reach it, and nginx never ends."""

GLOB = frozenset("*?[")
"""Characters that make a name a pattern."""


def expand(tree: Tree, read: Read) -> Tree:
    """Return the tree with every ``include`` replaced by the directives of the files it names.

    Raises InputError: ``nginx.include_cycle``, ``nginx.include_missing`` for a plain name without a file (a pattern may
    match nothing), ``nginx.too_large``, ``nginx.too_deep``, and ``nginx.syntax`` from the files read.
    """
    return replace(tree, directives=_Expansion(read).expanded(tree.directives, (tree.file,), 0))


@dataclass(slots=True)
class _Expansion:
    """One run: what was parsed already, since a thousand servers may include one snippet, and how much there is."""

    read: Read
    parsed: dict[str, Tree] = field(default_factory=dict)
    count: int = 0

    def expanded(self, directives: tuple[Directive, ...], around: tuple[str, ...], depth: int) -> tuple[Directive, ...]:
        self._refuse_excess(directives, depth)
        found: list[Directive] = []
        for directive in directives:
            if directive.name == "include" and len(directive.arguments) == 1 and directive.block is None:
                found.extend(self._included(directive, around, depth + 1))
            elif directive.block is not None and directive.block.code is None:
                inner = self.expanded(directive.directives, around, depth + 1)
                found.append(replace(directive, block=Block(inner, directive.block.before_close)))
            else:
                found.append(directive)
        return tuple(found)

    def _included(self, directive: Directive, around: tuple[str, ...], depth: int) -> tuple[Directive, ...]:
        pattern = directive.arguments[0]
        files = self.read(pattern)
        if not files and not GLOB & set(pattern):
            raise InputError("nginx.include_missing", f"included file does not exist: {pattern} ({directive.where})")
        found: list[Directive] = []
        for path, text in files:
            if path in around:
                chain = " -> ".join((*around, path))
                raise InputError("nginx.include_cycle", f"configuration includes itself: {chain} ({directive.where})")
            if path not in self.parsed:
                self.parsed[path] = parse(text, file=path)
            found.extend(self.expanded(self.parsed[path].directives, (*around, path), depth))
        return tuple(found)

    def _refuse_excess(self, directives: tuple[Directive, ...], depth: int) -> None:
        self.count += len(directives)
        if self.count > MOST:
            raise InputError("nginx.too_large", f"configuration has more than {MOST} directives with its includes")
        if depth > DEEPEST:
            where = directives[0].where if directives else "an empty file"
            raise InputError("nginx.too_deep", f"blocks and includes nested deeper than {DEEPEST}: {where}")
