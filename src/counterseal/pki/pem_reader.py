"""Taking PEM text apart: which blocks stand in it, where, and which of them are broken (RFC 7468, RFC 1421).

As lenient as the programs people use: text before, between and after the blocks, CRLF, blanks before a line and headers
are passed over. Whatever the bytes, blocks come out and never an exception; a broken block says what is wrong with it.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGIN = re.compile(rb"^[ \t]*-----BEGIN ([!-,.-~](?:[ !-,.-~]{0,62}[!-,.-~])?)-----", re.MULTILINE)
_HEADERS = re.compile(rb"\A\s*[A-Za-z-]{1,40}:[^\r\n]*(?:\r?\n[^\r\n]+)*\r?\n[ \t]*\r?\n")
_BLANKS = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Block:
    """One block: its label, the line on which it begins (from 1), what its base64 decodes to, and what is wrong.

    ``encrypted`` says that the content is ciphertext after RFC 1421, which only ``text``, the whole block, can open.
    """

    label: str
    line: int
    content: bytes = field(repr=False)
    text: bytes = field(repr=False)
    encrypted: bool = False
    problem: str | None = None


def pem_blocks(text: bytes) -> Iterator[Block]:
    """Yield every block of ``text`` in its order, in time that grows with the length of the text only."""
    begins = list(_BEGIN.finditer(text))
    line, counted = 1, 0
    for begin, following in pairwise([*begins, None]):
        assert begin is not None  # noqa: S101 - only the last one is, and it is never the first of a pair
        line, counted = line + text.count(b"\n", counted, begin.start()), begin.start()
        yield _block(text, begin, following.start() if following else len(text), line)


def _block(text: bytes, begin: re.Match[bytes], limit: int, line: int) -> Block:
    label = begin[1].decode("ascii")
    closing = b"-----END " + begin[1] + b"-----"
    end = text.find(closing, begin.end(), limit)
    if end < 0:
        other = text.find(b"-----END ", begin.end(), limit)
        problem = f"the block does not end with {closing.decode()}"
        return Block(label, line, b"", text[begin.start() : limit if other < 0 else other], problem=problem)
    whole, body = text[begin.start() : end + len(closing)].lstrip(_BLANKS), text[begin.end() : end]
    headers = _HEADERS.match(body)
    encrypted = headers is not None and b"ENCRYPTED" in headers[0]
    try:
        content = from_base64(body[headers.end() :] if headers else body)
    except ValueError:
        return Block(label, line, b"", whole, encrypted, problem="what stands between BEGIN and END is not base64")
    return Block(label, line, content, whole, encrypted, None if content else "the block is empty")


def from_base64(text: bytes) -> bytes:
    """Return what base64 in lines of any length decodes to; raises ValueError (binascii.Error) for anything else."""
    return binascii.a2b_base64(text.translate(None, _BLANKS), strict_mode=True)
