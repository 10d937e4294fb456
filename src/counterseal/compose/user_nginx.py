"""The configuration of the user's own nginx, read whole and left alone: what it takes, and what would collide."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from counterseal.errors import RefusedError
from counterseal.nginx.claims import find_block_directives, find_claims, find_collisions
from counterseal.nginx.parse import parse
from counterseal.nginx.reading import read_configuration
from counterseal.nginx.tree import walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from counterseal.nginx.any_site import AnySite
    from counterseal.nginx.tree import Tree


_INCLUDE_FILE = "counterseal.conf"
_MARK = "counterseal_is_read_here"


def read_user_tree(conf: Path, *, ours: Path) -> Tree:
    """Return the whole configuration below ``conf``; files below ``ours``, the base of our generations, are left out.

    Raises FileError, and InputError ``nginx.syntax`` with file, line and column.
    """
    return read_configuration(conf, skip=lambda path: ours in path.parents).tree


def taken_directives(tree: Tree, block: str = "http") -> frozenset[str]:
    """Return the names of the directives that the user's http or stream block has itself, which nobody may repeat."""
    return find_block_directives(tree, block)


def find_include_file(conf: Path) -> Path | None:
    """Return where a file of ours is read in the http block: in a directory that some ``include`` names; None: nowhere.

    Raises what ``read_user_tree`` does.
    """
    usual = conf.parent / "conf.d" / _INCLUDE_FILE
    return next((path for path in dict.fromkeys((usual, *_candidates(conf))) if reads_in_http(conf, path)), None)


def reads_in_http(conf: Path, path: Path) -> bool:
    """Whether nginx would read ``path`` in its http block, if it were there."""
    whole = read_configuration(conf, overlay={str(path): f"{_MARK};"})
    return path.parent.is_dir() and any(
        one.directive.name == _MARK and one.context == ("http",) for one in walk(whole.tree)
    )


def _candidates(conf: Path) -> Iterator[Path]:
    for file, text in read_configuration(conf).texts.items():
        includes = (one.directive for one in walk(parse(text, file=file)) if one.directive.name == "include")
        for pattern in (conf.parent / "".join(include.arguments) for include in includes):
            if "*" in pattern.name and fnmatchcase(_INCLUDE_FILE, pattern.name):
                yield pattern.parent / _INCLUDE_FILE


def refuse_collisions(tree: Tree, sites: Sequence[AnySite]) -> None:
    """Raise RefusedError ``site.taken`` when a server name or port of ours is taken, with file and line."""
    findings = find_collisions(find_claims(tree), sites)
    if findings:
        raise RefusedError(
            "site.taken",
            f"your own nginx configuration takes what a site needs: {findings[0].where}",
            findings=findings,
        )
