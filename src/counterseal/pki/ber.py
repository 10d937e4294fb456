"""BER with indefinite lengths, as NSS writes PKCS#12, made definite so that it can be taken apart (X.690 8.1.3).

Only lengths are mended: a string written in pieces becomes one string, all else stays as it stands.
"""

from __future__ import annotations

from counterseal.pki import der, der_reader

_INDEFINITE, _CONSTRUCTED, _DEEPEST = 0x80, 0x20, 32
_END = b"\x00\x00"
_STRING_IN_PIECES = _CONSTRUCTED | der.OCTET_STRING


def definite(content: bytes) -> bytes:
    """Return the first element of ``content`` with definite lengths throughout; raises InputError ``der.malformed``."""
    return _element(content, 0, len(content), 0)[0]


def _element(data: bytes, position: int, end: int, depth: int) -> tuple[bytes, int]:
    """Return one element, rewritten, and where it ended."""
    if depth > _DEEPEST:
        der_reader.refuse(f"nested deeper than {_DEEPEST}", position)
    tag = data[position] if position < end else 0
    if data[position + 1 : position + 2] != bytes([_INDEFINITE]):
        found = der_reader.element_at(data, position, end=end)
        if not tag & _CONSTRUCTED:
            return found.whole, found.end
        return _joined(tag, _elements(data, found.start, found.end, depth)), found.end
    start, parts = position + 2, []
    while data[start : start + 2] != _END:
        part, start = _element(data, start, end, depth + 1)
        parts.append(part)
    return _joined(tag, parts), start + 2


def _elements(data: bytes, start: int, end: int, depth: int) -> list[bytes]:
    parts = []
    while start < end:
        part, start = _element(data, start, end, depth + 1)
        parts.append(part)
    return parts


def _joined(tag: int, parts: list[bytes]) -> bytes:
    if tag == _STRING_IN_PIECES:
        return der.octet_string(b"".join(der_reader.read(part).content for part in parts))
    return der.wrap(tag, *parts)
