"""Includes are expanded as nginx does, and never for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.errors import InputError
from counterseal.nginx.includes import expand
from counterseal.nginx.parse import parse
from counterseal.nginx.tree import walk

if TYPE_CHECKING:
    from collections.abc import Sequence

FILES = {
    "conf.d/*.conf": [("conf.d/a.conf", "server { listen 81; }"), ("conf.d/b.conf", "server { include common; }")],
    "common": [("common", "listen 82;")],
    "loop": [("loop", "include loop2;")],
    "loop2": [("loop2", "include loop;")],
}


def read(pattern: str) -> Sequence[tuple[str, str]]:
    """Serve the files above."""
    return FILES.get(pattern, [])


def test_included_directives_stand_in_their_context_and_know_their_file() -> None:
    """Nested includes land inside the block that includes them."""
    tree = expand(parse("http { include conf.d/*.conf; }", file="nginx.conf"), read)
    listens = [placed for placed in walk(tree) if placed.directive.name == "listen"]
    assert [placed.context for placed in listens] == [("http", "server")] * 2
    assert [placed.directive.where for placed in listens] == ["conf.d/a.conf:1:10", "common:1:1"]


def test_a_cycle_is_refused_with_its_way() -> None:
    """A file that includes itself by another one is an error that shows the chain."""
    with pytest.raises(InputError, match=r"nginx\.conf -> loop -> loop2 -> loop") as caught:
        expand(parse("include loop;"), read)
    assert caught.value.code == "nginx.include_cycle"


def test_a_pattern_may_match_nothing_but_a_name_may_not() -> None:
    """An empty glob is tolerated as nginx does, a missing file refused."""
    assert expand(parse("include none/*;"), read).directives == ()
    with pytest.raises(InputError) as caught:
        expand(parse("include none;"), read)
    assert caught.value.code == "nginx.include_missing"


def test_includes_without_an_end_are_refused() -> None:
    """Each file includes another one, so there is no cycle to be found."""

    def next_one(pattern: str) -> Sequence[tuple[str, str]]:
        return [(pattern, f"include {pattern}x;")]

    with pytest.raises(InputError) as caught:
        expand(parse("include x;"), next_one)
    assert caught.value.code == "nginx.too_deep"
