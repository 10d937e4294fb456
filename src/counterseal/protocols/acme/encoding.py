"""base64url without padding, read strictly (RFC 7515 2, RFC 8555 6.1): one text for one value, no other is taken."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64encode
from typing import TypeVar

import msgspec

from counterseal.protocols.acme.problems import malformed

T = TypeVar("T")
_TO_STANDARD = bytes.maketrans(b"-_+/=", b"+/!!!")  # what is foreign here must be so there
_LAST = {0: None, 2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")}
"""By the letters beyond a multiple of four: which the last one may be, so that no bit of it is loose."""


def encode(octets: bytes) -> str:
    """Return the octets in base64url without padding."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def decode(text: str, what: str) -> bytes:
    """Return the octets; raises Problem ``malformed`` naming ``what`` for padding, foreign letters, or loose bits."""
    try:
        last = _LAST[len(text) % 4]
        if last is None or text[-1] in last:
            standard = text.encode("ascii").translate(_TO_STANDARD)  # octets: a string is translated letter by letter
            return binascii.a2b_base64(standard + b"=" * (-len(text) % 4), strict_mode=True)
    except (KeyError, ValueError):
        pass
    raise malformed(f"{what} is not base64url without padding")


def read_json(content: bytes, kind: type[T], what: str) -> T:
    """Return the JSON document as ``kind``; raises Problem ``malformed`` with what is wrong and where."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        raise malformed(f"{what}: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise malformed(f"{what} is not one JSON document") from None
