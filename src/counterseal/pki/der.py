"""The few DER forms that certificates and CRLs are put together from (X.690).

Names, extensions and public keys are encoded by the cryptography library; here they are only wrapped, so that the bytes
to be signed exist before any key is asked to sign them, and so that a CRL of a million entries is one join. Every
structure built from these is compared with the library's own output in the tests.
"""

from __future__ import annotations

from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

INTEGER, BIT_STRING, OCTET_STRING, OBJECT_IDENTIFIER, ENUMERATED = 0x02, 0x03, 0x04, 0x06, 0x0A
UTC_TIME, GENERALIZED_TIME, SEQUENCE, SET = 0x17, 0x18, 0x30, 0x31

NULL = b"\x05\x00"
TRUE = b"\x01\x01\xff"


@lru_cache(maxsize=4096)
def header(tag: int, length: int) -> bytes:
    """Return the tag and the length octets for a value of ``length`` bytes."""
    if length < 0x80:  # noqa: PLR2004 - X.690 8.1.3.4, the short form
        return bytes((tag, length))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets


def wrap(tag: int, *parts: bytes) -> bytes:
    """Return one value of ``tag`` that holds ``parts`` one after the other."""
    content = b"".join(parts)
    return header(tag, len(content)) + content


def sequence(*parts: bytes) -> bytes:
    """Return a SEQUENCE of already encoded parts."""
    return wrap(SEQUENCE, *parts)


def explicit(number: int, *parts: bytes) -> bytes:
    """Return parts under the constructed context tag ``[number]``."""
    return wrap(0xA0 | number, *parts)


def integer(value: int) -> bytes:
    """Return an INTEGER in its shortest form."""
    bits = (value if value >= 0 else ~value).bit_length()
    return wrap(INTEGER, value.to_bytes(bits // 8 + 1, "big", signed=True))


def enumerated(value: int) -> bytes:
    """Return a small non-negative ENUMERATED."""
    return wrap(ENUMERATED, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octet_string(value: bytes) -> bytes:
    """Return an OCTET STRING."""
    return wrap(OCTET_STRING, value)


def bit_string(value: bytes) -> bytes:
    """Return a BIT STRING without unused bits."""
    return wrap(BIT_STRING, b"\x00", value)


@lru_cache(maxsize=64)
def object_identifier(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER from its dotted form (X.690 8.19)."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return wrap(OBJECT_IDENTIFIER, *(_base128(arc) for arc in (first * 40 + second, *rest)))


def time(moment: datetime) -> bytes:
    """Return UTCTime through 2049 and GeneralizedTime from 2050 on, in whole seconds of UTC (RFC 5280 4.1.2.5)."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    if 1950 <= moment.year < 2050:  # noqa: PLR2004 - RFC 5280 4.1.2.5
        return wrap(UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())
    return generalized_time(moment)


@lru_cache(maxsize=64)
def generalized_time(moment: datetime) -> bytes:
    """Return GeneralizedTime in whole seconds of UTC, for a moment in UTC (RFC 5280 4.1.2.5.2)."""
    return wrap(GENERALIZED_TIME, f"{moment.year:04d}{moment:%m%d%H%M%SZ}".encode())


def extension(dotted: str, value: bytes, *, critical: bool) -> bytes:
    """Return one Extension around an encoded value (RFC 5280 4.1)."""
    return sequence(object_identifier(dotted), TRUE if critical else b"", octet_string(value))


def extensions(values: Iterable[bytes], *, tag: int) -> bytes:
    """Return the Extensions field under its explicit context tag: 3 in a certificate, 0 in a CRL."""
    return explicit(tag, sequence(*values))


def _base128(arc: int) -> bytes:
    octets = [arc & 0x7F]
    while arc := arc >> 7:
        octets.append(0x80 | (arc & 0x7F))
    return bytes(reversed(octets))
