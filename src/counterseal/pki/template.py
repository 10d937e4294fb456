"""The one writer of certificates: what those of one shape have in common is encoded once, the rest filled in.

A single certificate fills a template of its own. A batch fills the same one many times, and encodes what varies from
text with the functions below, for which the library's objects would take most of the time. It is handed checked text
and never asks what may be said. The tests compare both ways with the library's builder. RFC 5280 4.1 and 4.2.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha1
from typing import TYPE_CHECKING, NamedTuple

from counterseal.pki import der

if TYPE_CHECKING:
    from collections.abc import Iterable

SUBJECT_KEY_IDENTIFIER, SUBJECT_ALTERNATIVE_NAME = "2.5.29.14", "2.5.29.17"
COMMON_NAME, ORGANIZATIONAL_UNIT = "2.5.4.3", "2.5.4.11"

P256_POINT_OCTETS = 65
_DIGEST_OCTETS = 20
_UTF8_STRING = 0x0C
_GENERAL_NAME_TAGS = {"email": 0x81, "DNS": 0x82, "URI": 0x86}  # RFC 5280 4.2.1.6, implicit IA5String
_NO_NAME = der.sequence()
_VERSION_3 = der.explicit(0, der.integer(2))
_ON_P256 = der.sequence(der.object_identifier("1.2.840.10045.2.1"), der.object_identifier("1.2.840.10045.3.1.7"))
_BEFORE_POINT = der.sequence(_ON_P256, der.bit_string(bytes(P256_POINT_OCTETS)))[:-P256_POINT_OCTETS]
_BEFORE_DIGEST = der.extension(SUBJECT_KEY_IDENTIFIER, der.octet_string(bytes(_DIGEST_OCTETS)), critical=False)[
    :-_DIGEST_OCTETS
]


class Template(NamedTuple):
    """What certificates of one shape share, encoded; the extensions as they stand before and after the SKI."""

    signature_algorithm: bytes
    issuer: bytes
    validity: bytes
    extensions_before: bytes
    extensions_after: bytes

    def fill(
        self, serial_number: int, *, subject: bytes, public_key: bytes, key_identifier: bytes, names: bytes = b""
    ) -> bytes:
        """Return the TBSCertificate; the key identifier is a SHA-1, ``names`` the value of SAN (none when empty)."""
        serial = der.integer(serial_number)
        before_serial, before_subject, before_digest, before_names = _frame(
            self, len(serial), len(subject), len(public_key), len(names), nameless=subject == _NO_NAME
        )
        parts = (before_serial, serial, before_subject, subject, public_key)
        return b"".join((*parts, before_digest, key_identifier, before_names, names))


@lru_cache(maxsize=256)
def _frame(
    template: Template, serial: int, subject: int, public_key: int, names: int, *, nameless: bool
) -> tuple[bytes, bytes, bytes, bytes]:
    """Return what stands before, between and after values of these lengths; SAN is critical beside an empty subject."""
    san = der.extension(SUBJECT_ALTERNATIVE_NAME, bytes(names), critical=nameless)[:-names] if names else b""
    before_names = template.extensions_after + san
    after_digest = before_names + bytes(names)
    ski = _BEFORE_DIGEST + bytes(_DIGEST_OCTETS)
    extensions = der.extensions((template.extensions_before, ski, after_digest), tag=3)
    before_subject = template.signature_algorithm + template.issuer + template.validity
    after_serial = before_subject + bytes(subject + public_key) + extensions
    tbs = der.sequence(_VERSION_3, bytes(serial), after_serial)
    return (
        tbs[: -(serial + len(after_serial))],
        before_subject,
        extensions[: -(_DIGEST_OCTETS + len(after_digest))],
        before_names,
    )


@lru_cache(maxsize=256)
def before_common_name(relative_names: bytes, length: int) -> bytes:
    """Return how a Name begins that has these RelativeDistinguishedNames, then a common name of ``length`` octets."""
    return der.sequence(relative_names, relative_name(COMMON_NAME, "x" * length))[:-length]


def relative_name(attribute: str, value: str) -> bytes:
    """Return a RelativeDistinguishedName of one attribute that is a UTF8String, named by its dotted identifier."""
    return der.wrap(der.SET, der.sequence(der.object_identifier(attribute), der.wrap(_UTF8_STRING, value.encode())))


def general_names(names: Iterable[tuple[str, str]]) -> bytes:
    """Return GeneralNames; a name is its kind, ``DNS``, ``email`` or ``URI``, and its checked value."""
    return der.sequence(*[der.wrap(_GENERAL_NAME_TAGS[kind], value.encode("ascii")) for kind, value in names])


def p256_public_key(point: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of an uncompressed point on P-256 (RFC 5480 2)."""
    return _BEFORE_POINT + point


def key_identifier(key_bits: bytes) -> bytes:
    """Return the subject key identifier: the SHA-1 of the key's bits (RFC 5280 4.2.1.2, method 1)."""
    return sha1(key_bits, usedforsecurity=False).digest()
