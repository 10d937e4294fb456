"""How wide text will be in a picture: SVG neither wraps nor cuts, and which font the reader has is not known.

Reckoned with the advance widths of DejaVu Sans, Sans Bold and Sans Mono, rounded up by kinds of characters. They are
among the widest of the fonts that the style sheets name: what fits here fits there.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_BOLD, _BOLD_FROM, _NORMAL = 1.13, 600, 400
_ADVANCES = {
    **dict.fromkeys(" ',.:;Iijl|\N{NO-BREAK SPACE}\N{MIDDLE DOT}", 0.34),
    **dict.fromkeys("!()-/J[]frt", 0.42),
    **dict.fromkeys("ABCDEFGHKLNOPQRSTUVXYZ#&+<=>^~", 0.85),
    **dict.fromkeys("%@MWmw\N{EM DASH}" + ELLIPSIS, 1),
}
_OTHER, _FOREIGN, _MONO = 0.65, 1.1, 0.61
"""The rest of ASCII; letters of other alphabets; every character of a monospaced font."""

_SQUARE = 1.3
"""An emoji, which may be wider than it is high, or the box with a number that stands for what no font has."""


@dataclass(frozen=True, slots=True)
class Face:
    """How a kind of text is set: pixels, weight, and whether all characters are of one width."""

    size: float
    weight: int = _NORMAL
    mono: bool = False

    @property
    def css(self) -> str:
        """What a style sheet says of size and weight."""
        return f"font-size:{self.size:g}px" + (f";font-weight:{self.weight}" if self.weight != _NORMAL else "")


def width_of(text: str, face: Face) -> float:
    """Return the pixels that ``text`` takes at most."""
    return sum(_advances(text, face))


def fitted(text: str, width: float, face: Face) -> str:
    """Return ``text``, cut and marked by an ellipsis where it is wider than ``width`` pixels."""
    if width_of(text, face) <= width:
        return text
    return text[: _fitting(text, width - width_of(ELLIPSIS, face), face)] + ELLIPSIS


def wrapped(text: str, width: float, face: Face) -> list[str]:
    """Return ``text`` in lines of at most ``width`` pixels, broken at spaces, and inside a word only if it is wider."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if width_of(longer, face) <= width:
            lines[-1] = longer
            continue
        lines += [word] if lines[-1] else []
        lines[-1] = word
        while (end := max(_fitting(lines[-1], width, face), 1)) < len(lines[-1]):
            lines[-1:] = [lines[-1][:end], lines[-1][end:]]
    return lines


def _fitting(text: str, width: float, face: Face) -> int:
    """Return how many characters fit."""
    return sum(1 for _ in takewhile(lambda end: end <= width, accumulate(_advances(text, face))))


def _advances(text: str, face: Face) -> Iterator[float]:
    scale = face.size * (_BOLD if face.weight >= _BOLD_FROM else 1)
    return (scale * _advance(character, face.mono) for character in text)


@cache
def _advance(character: str, mono: bool) -> float:  # noqa: FBT001 - the cache keys by position
    """Return the width of a character in a font of one pixel."""
    if unicodedata.combining(character):
        return 0
    known = character.isascii() or character in _ADVANCES
    letter = character.isalnum() and unicodedata.east_asian_width(character) not in {"W", "F"}
    if not known and not letter:
        return _SQUARE
    return _MONO if mono else _ADVANCES.get(character, _OTHER if known else _FOREIGN)
