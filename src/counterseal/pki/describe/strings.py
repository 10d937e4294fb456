"""A DER string of any kind as text that is safe to show (X.690 8.23)."""

from __future__ import annotations

from counterseal.errors import InputError
from counterseal.pki import der_reader
from counterseal.pki.shown import printable

_BMP_STRING = 0x1E
_ENCODINGS = {0x0C: "utf-8", 0x13: "ascii", 0x14: "latin-1", 0x16: "ascii", 0x1A: "ascii", _BMP_STRING: "utf-16-be"}


def text_of(value: bytes) -> str | None:
    """Return the text in quotes when ``value`` is the DER of one string, else None."""
    try:
        element = der_reader.read(value)
        if element.tag not in _ENCODINGS:
            return None
        return f'"{printable(element.content.decode(_ENCODINGS[element.tag]))}"'
    except (InputError, UnicodeDecodeError):
        return None
