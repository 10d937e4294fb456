"""The configuration of the user's own nginx, read whole and left alone: what it takes, and what would collide."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.errors import RefusedError
from counterseal.files import read_file
from counterseal.nginx.claims import find_claims, find_collisions, find_http_directives
from counterseal.nginx.includes import expand
from counterseal.nginx.parse import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.nginx.site import Site
    from counterseal.nginx.tree import Tree


def read_user_tree(conf: Path, *, ours: Path) -> Tree:
    """Return the whole configuration below ``conf``; files below ``ours``, the base of our generations, are left out.

    Raises FileError, and InputError ``nginx.syntax`` with file, line and column.
    """

    def read(pattern: str) -> list[tuple[str, str]]:
        found = sorted(glob.glob(str(conf.parent / pattern)))  # noqa: PTH207 - nginx's includes are glob patterns
        outside = [path for path in map(Path, found) if ours not in path.parents]
        return [(str(path), _text(path)) for path in outside if path.is_file()]

    return expand(parse(_text(conf), file=str(conf)), read)


def taken_directives(tree: Tree) -> frozenset[str]:
    """Return the names of the directives that the user's http block has itself, which nginx lets nobody repeat."""
    return find_http_directives(tree)


def refuse_collisions(tree: Tree, sites: Sequence[Site]) -> None:
    """Raise RefusedError ``site.taken`` when a server name or port of ours is taken, with file and line."""
    findings = find_collisions(find_claims(tree), sites)
    if findings:
        raise RefusedError(
            "site.taken",
            f"your own nginx configuration takes what a site needs: {findings[0].where}",
            findings=findings,
        )


def _text(path: Path) -> str:
    return read_file(path).decode("utf-8", "surrogateescape")
