"""Lines are no wider than they may be, and nothing of the text is lost. That the widths are true, a browser tells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from counterseal.handshake.picture.measure import Face, fitted, width_of, wrapped

FACE, BOLD, MONO = Face(10), Face(10, 650), Face(10, mono=True)
TEXT = st.text(st.characters(exclude_categories=["C"]), max_size=120)


@given(TEXT, st.sampled_from([FACE, BOLD, MONO]))
def test_wrapped_lines_fit_and_hold_the_whole_text(text: str, face: Face) -> None:
    """However long its words are."""
    lines = wrapped(text, 100, face)
    assert all(width_of(line, face) <= 100 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(TEXT)
def test_a_fitted_text_is_whole_or_marked(text: str) -> None:
    """By an ellipsis, for which there is room."""
    shown = fitted(text, 100, FACE)
    assert width_of(shown, FACE) <= 100
    assert shown == text or (shown.endswith("…") and text.startswith(shown[:-1]))


def test_lines_are_broken_between_words() -> None:
    """Inside one only if it is wider than a line, and never where a space holds two together."""
    assert wrapped("one two three", 50, MONO) == ["one two", "three"]
    assert wrapped("RFC\N{NO-BREAK SPACE}8446 4.4", 50, MONO) == ["RFC\N{NO-BREAK SPACE}8446", "4.4"]
    assert wrapped("a 0123456789", 50, MONO) == ["a", "01234567", "89"]
    assert wrapped("", 50, MONO) == [""]


def test_a_face_is_what_the_style_sheet_says() -> None:
    """Ordinary weight goes without saying; a bold letter is wider, and one of Chinese a square."""
    assert (FACE.css, BOLD.css) == ("font-size:10px", "font-size:10px;font-weight:650")
    assert width_of("m", FACE) < width_of("m", BOLD) < width_of("密", FACE)
