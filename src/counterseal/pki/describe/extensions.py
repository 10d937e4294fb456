"""Every extension of a certificate, request or list in words (RFC 5280 4.2, 5.2); an unknown one by its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.errors import InputError
from counterseal.pki import der, der_reader
from counterseal.pki.describe.oids import oid_name
from counterseal.pki.describe.strings import text_of
from counterseal.pki.describe.values import WORDS
from counterseal.pki.shown import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from counterseal.pki.der_reader import Element


@dataclass(frozen=True, slots=True)
class ExtensionFacts:
    """One extension: its name (RFC 5280's where there is one), its value in lines, its DER only when it is unknown."""

    oid: str
    name: str
    critical: bool
    value: tuple[str, ...]
    der: str | None = None


def describe_extensions(extensions: x509.Extensions) -> tuple[ExtensionFacts, ...]:
    """Return every extension in its order."""
    return tuple(_facts(extension) for extension in extensions)


def describe_raw_extensions(parts: Iterable[Element]) -> tuple[ExtensionFacts, ...]:
    """Return extensions that the library refuses to read as a whole, each by its bytes; a malformed one is left out."""
    found = []
    for part in parts:
        try:
            fields = part.expect(der.SEQUENCE).children()
            oid, value = der_reader.as_object_identifier(fields[0]), fields[-1].expect(der.OCTET_STRING).content
        except (InputError, IndexError):
            continue
        found.append(_unread(oid, value, critical=len(fields) > 2 and fields[1].content != b"\x00"))  # noqa: PLR2004 - id, critical, value
    return tuple(found)


def _facts(extension: x509.Extension[x509.ExtensionType]) -> ExtensionFacts:
    oid, value = extension.oid.dotted_string, extension.value
    if isinstance(value, x509.UnrecognizedExtension):
        return _unread(oid, value.value, critical=extension.critical)
    words = WORDS.get(type(value))
    lines = tuple(words(value)) if words else (printable(str(value)),)
    return ExtensionFacts(oid, oid_name(oid), extension.critical, lines)


def _unread(oid: str, value: bytes, *, critical: bool) -> ExtensionFacts:
    return ExtensionFacts(oid, oid_name(oid), critical, (text_of(value) or f"{len(value)} bytes",), value.hex())
