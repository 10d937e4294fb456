"""Reading DER one element at a time (X.690), for what the cryptography library cannot hand out piece by piece.

Decides only whether bytes are well-formed elements; what they mean is for the modules above. Strict about lengths, so
that nothing read here can point outside its parent; values of any size are views of one buffer, never copied whole.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple, NoReturn

from counterseal.errors import InputError
from counterseal.pki import der

_LONGEST_IDENTIFIER = 128  # octets; the longest in use have about 20


class Element(NamedTuple):
    """One element of ``data``: its header begins at ``first``, its content is ``data[start:end]``."""

    data: bytes
    tag: int
    first: int
    start: int
    end: int

    @property
    def content(self) -> bytes:
        """The content octets."""
        return self.data[self.start : self.end]

    @property
    def whole(self) -> bytes:
        """The element with its header."""
        return self.data[self.first : self.end]

    def children(self) -> list[Element]:
        """Return the elements that this one is made of, side by side."""
        found = []
        position = self.start
        while position < self.end:
            child = element_at(self.data, position, end=self.end)
            found.append(child)
            position = child.end
        return found

    def expect(self, tag: int) -> Element:
        """Return this element if it has ``tag``; raises InputError ``der.malformed``."""
        if self.tag != tag:
            refuse(f"tag {self.tag:#04x} where {tag:#04x} belongs", self.first)
        return self


def read(data: bytes) -> Element:
    """Return the one element that ``data`` is; trailing bytes are refused as ``der.malformed``."""
    element = element_at(data, 0, end=len(data))
    if element.end != len(data):
        refuse(f"{len(data) - element.end} bytes after the end", element.end)
    return element


def element_at(data: bytes, position: int, *, end: int) -> Element:
    """Return the element that begins at ``position`` and ends at or before ``end``; raises ``der.malformed``."""
    if end - position < 2:  # noqa: PLR2004 - the shortest header
        refuse("cut short", position)
    tag, length, start = data[position], data[position + 1], position + 2
    if tag & 0x1F == 0x1F:  # noqa: PLR2004 - X.690 8.1.2.4: never in X.509
        refuse("tag of several octets", position)
    if length >= 0x80:  # noqa: PLR2004 - X.690 8.1.3.5, the long form
        octets = length & 0x7F
        if not 1 <= octets <= 8 or start + octets > end:  # noqa: PLR2004 - 0 would be the indefinite form of BER
            refuse("length is indefinite or cut short", position)
        length = int.from_bytes(data[start : start + octets], "big")
        if data[start] == 0 or length < 0x80:  # noqa: PLR2004 - X.690 10.1
            refuse("length is not in its shortest form", position)
        start += octets
    if length > end - start:
        refuse(f"{length} bytes announced, {end - start} there", position)
    return Element(data, tag, position, start, start + length)


def bounds(data: bytes, position: int) -> tuple[int, int]:
    """Return where the content of an element begins and ends, in DER that is known to be well-formed."""
    length, start = data[position + 1], position + 2
    if length >= 0x80:  # noqa: PLR2004 - X.690 8.1.3.5, the long form
        octets = start
        start += length & 0x7F
        length = int.from_bytes(data[octets:start], "big")
    return start, start + length


def as_integer(element: Element) -> int:
    """Return an INTEGER or ENUMERATED, negative ones too."""
    if element.tag not in {der.INTEGER, der.ENUMERATED} or element.start == element.end:
        refuse("no integer", element.first)
    return int.from_bytes(element.content, "big", signed=True)


def as_object_identifier(element: Element) -> str:
    """Return an OBJECT IDENTIFIER in dotted form (X.690 8.19)."""
    octets = element.expect(der.OBJECT_IDENTIFIER).content
    if not octets or octets[-1] & 0x80 or len(octets) > _LONGEST_IDENTIFIER:
        refuse("no object identifier", element.first)
    arcs, arc = [], 0
    for octet in octets:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))


def as_time(element: Element) -> datetime:
    """Return a UTCTime or GeneralizedTime in the only form RFC 5280 4.1.2.5 allows: whole seconds, in UTC."""
    digits, mark = element.content[:-1], element.content[-1:]
    lengths = {der.UTC_TIME: 12, der.GENERALIZED_TIME: 14}
    if mark != b"Z" or not digits.isdigit() or lengths.get(element.tag) != len(digits):
        refuse("no time in whole seconds of UTC", element.first)
    if element.tag == der.UTC_TIME:
        digits = (b"19" if digits >= b"50" else b"20") + digits
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    hour, minute, second = int(digits[8:10]), int(digits[10:12]), int(digits[12:])
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        refuse(f"no such moment: {digits.decode()}", element.first)


def refuse(what: str, position: int) -> NoReturn:
    """Raise ``der.malformed`` with what is wrong and where."""
    raise InputError("der.malformed", f"malformed DER: {what} at byte {position}")
