"""The sizes of nginx's hash tables, which are directives of the http block and may stand there only once.

Our keys fit the default buckets, so a table that is too small costs a warning at most, except for a long server name,
on which nginx gives up. In an nginx of our own everything is fitted; in the user's http block only what is needed is
set, and only if he does not set it himself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from counterseal.nginx.render.layout import Layout

# With buckets of 64 octets one long key fills one, so that some hundred of them never fit without a collision.
EASY_ENTRIES = 100
EASY_VARIABLES = 40
LONGEST_EASY_NAME = 46
EASY_NAMES = 100


def size_lines(layout: Layout, *, entries: int, variables: int, names: tuple[str, ...]) -> Iterator[str]:
    """Yield the sizes for the longest map, the number of our variables, and all server names."""
    yield from map_size_lines(layout, taken=layout.taken, entries=entries, variables=variables)
    longest = max(map(len, names), default=0)
    wanted = (
        ("server_names_hash_bucket_size", 512, longest > LONGEST_EASY_NAME or len(names) > EASY_NAMES),
        ("server_names_hash_max_size", max(1024, 4 * len(names)), len(names) > EASY_NAMES),
    )
    yield from _set(wanted, layout, layout.taken)


def map_size_lines(layout: Layout, *, taken: frozenset[str], entries: int, variables: int) -> Iterator[str]:
    """Yield those of maps and variables, which a stream block has too; ``taken`` are the directives it has itself."""
    wanted = (
        ("map_hash_bucket_size", 512, entries > EASY_ENTRIES),
        ("map_hash_max_size", max(2048, 2 * entries), entries > EASY_ENTRIES),
        ("variables_hash_bucket_size", 128, variables > EASY_VARIABLES),
        ("variables_hash_max_size", max(2048, 8 * variables), variables > EASY_VARIABLES),
    )
    yield from _set(wanted, layout, taken)


def _set(wanted: Iterable[tuple[str, int, bool]], layout: Layout, taken: frozenset[str]) -> Iterator[str]:
    for name, size, needed in wanted:
        if layout.owns_main or (needed and name not in taken):
            yield f"{name} {size};"
