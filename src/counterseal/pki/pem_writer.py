"""Writing PEM (RFC 7468) of octets that were encoded here; ``pem`` writes the library's objects."""

from __future__ import annotations

from binascii import b2a_base64
from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LINE = 64


def pem_block(label: str, content: bytes) -> bytes:
    """Return encoded octets as one block, as the library writes it of the object."""
    text = b2a_base64(content, newline=False)
    name = label.encode()
    return b"\n".join((b"-----BEGIN %s-----" % name, *_cut(len(text))(text), b"-----END %s-----\n" % name))


@lru_cache(maxsize=256)
def _cut(length: int) -> Callable[[bytes], tuple[bytes, ...]]:
    """Return what cuts a text of this length into lines, in half the time of slices; certificates have few lengths."""
    whole, rest = divmod(length, _LINE)
    return Struct(f"{_LINE}s" * whole + f"{rest}s" * bool(rest)).unpack
