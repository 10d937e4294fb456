"""A configuration as nginx sees it: every ``include`` replaced by what it names.

Reading is handed in; this module only decides what is asked for and refuses a file that includes itself. The expanded
tree is for looking at (each directive still knows its own file), not for writing back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from counterseal.errors import InputError
from counterseal.nginx.parse import parse
from counterseal.nginx.tree import Block, Tree

if TYPE_CHECKING:
    from counterseal.nginx.tree import Directive

# The argument of an ``include`` as written -> (path, text) of every file it names, in nginx's order (sorted by name).
# nginx resolves a relative pattern against the directory of its main configuration file, not of the including one.
Read: TypeAlias = Callable[[str], Sequence[tuple[str, str | bytes]]]

_GLOB = frozenset("*?[")


def expand(tree: Tree, read: Read) -> Tree:
    """Return the tree with every ``include`` replaced by the directives of the files it names.

    Raises InputError: ``nginx.include_cycle``, ``nginx.include_missing`` for a plain name without a file (a pattern may
    match nothing), and ``nginx.syntax`` from the files read.
    """
    return replace(tree, directives=_expanded(tree.directives, read, (tree.file,)))


def _expanded(directives: tuple[Directive, ...], read: Read, around: tuple[str, ...]) -> tuple[Directive, ...]:
    found: list[Directive] = []
    for directive in directives:
        if directive.name == "include" and len(directive.arguments) == 1 and directive.block is None:
            found.extend(_included(directive, read, around))
        elif directive.block is not None and directive.block.code is None:
            inner = _expanded(directive.directives, read, around)
            found.append(replace(directive, block=Block(inner, directive.block.before_close)))
        else:
            found.append(directive)
    return tuple(found)


def _included(directive: Directive, read: Read, around: tuple[str, ...]) -> tuple[Directive, ...]:
    pattern = directive.arguments[0]
    files = read(pattern)
    if not files and not _GLOB & set(pattern):
        raise InputError("nginx.include_missing", f"included file does not exist: {pattern} ({directive.where})")
    found: list[Directive] = []
    for path, text in files:
        if path in around:
            chain = " -> ".join((*around, path))
            raise InputError("nginx.include_cycle", f"configuration includes itself: {chain} ({directive.where})")
        found.extend(_expanded(parse(text, file=path).directives, read, (*around, path)))
    return tuple(found)
