"""Reading the presentation language of TLS: numbers, and vectors after their length (RFC 8446 3); writing a vector.

Strict about lengths: nothing read here points outside its parent, and what is left over at the end is a fault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from counterseal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Reader:
    """A position in the bytes of one structure; everything that does not fit raises InputError ``tls.malformed``."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._position = 0

    @property
    def left(self) -> int:
        """How many bytes have not been read."""
        return len(self._octets) - self._position

    def take(self, length: int) -> bytes:
        """Return the next ``length`` bytes."""
        if length > self.left:
            refuse(f"{length} bytes announced at byte {self._position}, {self.left} there")
        taken = self._octets[self._position : self._position + length]
        self._position += length
        return taken

    def number(self, size: int) -> int:
        """Return the next number of ``size`` bytes, big-endian (RFC 8446 3.3)."""
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        """Return the content of a vector whose length takes ``size`` bytes (RFC 8446 3.4)."""
        return self.take(self.number(size))

    def inner(self, size: int) -> Reader:
        """Return a reader of the next vector."""
        return Reader(self.vector(size))

    def numbers(self, length_size: int, size: int) -> tuple[int, ...]:
        """Return a vector of numbers of ``size`` bytes each."""
        inner = self.inner(length_size)
        return tuple(inner.number(size) for _ in inner.repeat())

    def vectors(self, length_size: int, size: int) -> tuple[bytes, ...]:
        """Return a vector of vectors whose own lengths take ``size`` bytes."""
        inner = self.inner(length_size)
        return tuple(inner.vector(size) for _ in inner.repeat())

    def repeat(self) -> Iterator[None]:
        """Yield for as long as bytes are left; each turn must read some."""
        while self.left:
            yield

    def finish(self) -> None:
        """Refuse bytes that were left over."""
        if self.left:
            refuse(f"{self.left} bytes after the end")


def refuse(what: str) -> NoReturn:
    """Raise ``tls.malformed`` with what is wrong."""
    raise InputError("tls.malformed", f"malformed TLS message: {what}")


def vector(octets: bytes, size: int) -> bytes:
    """Return a vector behind its length in ``size`` bytes (RFC 8446 3.4)."""
    return len(octets).to_bytes(size, "big") + octets
