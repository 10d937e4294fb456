"""Text that goes into a configuration comes out of it unchanged."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterseal.errors import InputError
from counterseal.nginx.parse import parse
from counterseal.nginx.render.words import block, exact, quote, variable
from counterseal.pki.shown import show_serial


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_quoted_text_is_read_back_or_refused(text: str) -> None:
    """One word, the same text; what nginx has no spelling for is refused."""
    if "$" in text or any(ord(character) < 32 or ord(character) == 127 for character in text):
        with pytest.raises(InputError, match="nginx cannot take this"):
            quote(text)
        return
    directives = parse(f"root {quote(text)};").directives
    assert [directive.arguments for directive in directives] == [(text,)]


@given(st.text("az09.*+?()[]{}|^$\\/-~#&, =é"), st.text("az09.*+?()[]{}|^$\\/-~#&, =é"))
def test_an_exact_pattern_matches_its_text_only(text: str, other: str) -> None:
    """As the regular expression of its octets."""
    pattern = exact(text).encode()
    assert bool(re.fullmatch(pattern, other.encode())) == (text == other)
    assert re.fullmatch(pattern, text.encode())


@pytest.mark.parametrize(("number", "shown"), [(1, "01"), (0x0A1B, "0A1B"), (0x80, "80"), (0x123, "0123")])
def test_a_serial_number_has_whole_octets(number: int, shown: str) -> None:
    """As nginx prints it."""
    assert show_serial(number) == shown


def test_variables_of_sites_are_distinct() -> None:
    """Hyphens become underscores, which site names do not have."""
    assert variable("my-panel", "gate") == "$counterseal_my_panel_gate"


def test_a_block_is_moved_in() -> None:
    """Nested blocks and empty lines keep their form."""
    assert list(block("a", ["b;", "", *block("c", ["d;"])])) == [
        "a {",
        "    b;",
        "",
        "    c {",
        "        d;",
        "    }",
        "}",
    ]
