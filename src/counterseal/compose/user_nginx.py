"""The configuration of the user's own nginx, read whole and left alone: what it takes, and what would collide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.errors import RefusedError
from counterseal.nginx.claims import find_block_directives, find_claims, find_collisions
from counterseal.nginx.reading import read_configuration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from counterseal.nginx.any_site import AnySite
    from counterseal.nginx.tree import Tree


def read_user_tree(conf: Path, *, ours: Path) -> Tree:
    """Return the whole configuration below ``conf``; files below ``ours``, the base of our generations, are left out.

    Raises FileError, and InputError ``nginx.syntax`` with file, line and column.
    """
    return read_configuration(conf, skip=lambda path: ours in path.parents).tree


def taken_directives(tree: Tree, block: str = "http") -> frozenset[str]:
    """Return the names of the directives that the user's http or stream block has itself, which nobody may repeat."""
    return find_block_directives(tree, block)


def refuse_collisions(tree: Tree, sites: Sequence[AnySite]) -> None:
    """Raise RefusedError ``site.taken`` when a server name or port of ours is taken, with file and line."""
    findings = find_collisions(find_claims(tree), sites)
    if findings:
        raise RefusedError(
            "site.taken",
            f"your own nginx configuration takes what a site needs: {findings[0].where}",
            findings=findings,
        )
