"""Which X.509 structure one DER element is, told by the tags of its first fields and nothing else.

Looks at a dozen elements at most, so that a CRL of any length is told from a certificate at once. RFC 5280 4.1 and 5.1,
RFC 2986 4, RFC 5958 2 and 3, RFC 5915 3, RFC 8017 A.1, RFC 7292 4, RFC 5652 3 and 5.1.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from counterseal.pki import der, der_reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.pki.der_reader import Element

PKCS12_IN_BER = b"\x30\x80\x02\x01\x03\x30"
"""How a PKCS#12 of indefinite length begins, as NSS and old versions of Java and Windows write it."""

_LOOKED_AT = 12
_TIMES = frozenset({der.UTC_TIME, der.GENERALIZED_TIME})
_SIGNED_DATA = "1.2.840.113549.1.7.2"


class Kind(StrEnum):
    """The kinds of things that are recognised."""

    CERTIFICATE = "certificate"
    CSR = "csr"
    CRL = "crl"
    PRIVATE_KEY = "private_key"
    ENCRYPTED_PRIVATE_KEY = "encrypted_private_key"
    PUBLIC_KEY = "public_key"
    PKCS12 = "pkcs12"
    PKCS7 = "pkcs7"
    PARAMETERS = "parameters"
    UNKNOWN = "unknown"

    @property
    def words(self) -> str:
        """The kind as it is named in a sentence."""
        return _WORDS[self]


_WORDS = {
    Kind.CERTIFICATE: "a certificate",
    Kind.CSR: "a certification request (CSR)",
    Kind.CRL: "a certificate revocation list",
    Kind.PRIVATE_KEY: "a private key",
    Kind.ENCRYPTED_PRIVATE_KEY: "an encrypted private key",
    Kind.PUBLIC_KEY: "a public key",
    Kind.PKCS12: "a PKCS#12 file",
    Kind.PKCS7: "a PKCS#7 bundle",
    Kind.PARAMETERS: "key parameters",
    Kind.UNKNOWN: "something unknown",
}


_SIGNED = (der.SEQUENCE, der.SEQUENCE, der.BIT_STRING)
_EXACT = {
    (der.SEQUENCE, der.BIT_STRING): Kind.PUBLIC_KEY,  # SubjectPublicKeyInfo
    (der.INTEGER, der.INTEGER): Kind.PUBLIC_KEY,  # RSAPublicKey, RFC 8017 A.1.1
    (der.SEQUENCE, der.OCTET_STRING): Kind.ENCRYPTED_PRIVATE_KEY,
    (der.INTEGER,) * 6: Kind.PRIVATE_KEY,  # DSA, OpenSSL's traditional form
    (der.INTEGER, der.SEQUENCE): Kind.PKCS12,  # without a MAC
    (der.INTEGER, der.SEQUENCE, der.SEQUENCE): Kind.PKCS12,
    (der.OBJECT_IDENTIFIER, 0xA0): Kind.PKCS7,
}
_BEGINNINGS = {
    (der.INTEGER, der.SEQUENCE, der.OCTET_STRING): Kind.PRIVATE_KEY,  # OneAsymmetricKey, then attributes, public key
    (der.INTEGER, der.OCTET_STRING): Kind.PRIVATE_KEY,  # ECPrivateKey, then curve, public key
    (der.INTEGER,) * 9: Kind.PRIVATE_KEY,  # RSAPrivateKey, RFC 8017 A.1.2
}


def kind_of(element: Element) -> Kind:
    """Return what ``element`` is, ``Kind.UNKNOWN`` for none of these; raises InputError ``der.malformed``."""
    if element.tag != der.SEQUENCE:
        return Kind.UNKNOWN
    fields = list(islice(children(element), _LOOKED_AT))
    tags = tuple(field.tag for field in fields)
    if tags == _SIGNED:
        return _signed(fields[0])
    if not all(_begins_with_identifier(field) for field in fields[:2] if field.tag == der.SEQUENCE):
        return Kind.UNKNOWN
    longer = (kind for beginning, kind in _BEGINNINGS.items() if tags[: len(beginning)] == beginning)
    return _EXACT.get(tags) or next(longer, Kind.UNKNOWN)


def children(element: Element) -> Iterator[Element]:
    """Yield the elements that ``element`` is made of, one at a time; raises InputError ``der.malformed``."""
    position = element.start
    while position < element.end:
        child = der_reader.element_at(element.data, position, end=element.end)
        yield child
        position = child.end


def signed_data_parts(pkcs7: Element) -> Iterator[Element]:
    """Yield the certificates and then the CRLs of a SignedData (RFC 5652 5.1); nothing for another content type."""
    content_type, content = islice(children(pkcs7), 2)
    if der_reader.as_object_identifier(content_type) != _SIGNED_DATA:
        return
    for signed_data in islice(children(content), 1):
        for field in islice(children(signed_data), _LOOKED_AT):
            if field.tag in {0xA0, 0xA1}:
                yield from (part for part in children(field) if part.tag == der.SEQUENCE)


def _signed(to_be_signed: Element) -> Kind:
    """Tell certificate, CSR and CRL apart: all three are a body, an algorithm and a signature."""
    if to_be_signed.tag != der.SEQUENCE:
        return Kind.UNKNOWN
    tags = [field.tag for field in islice(children(to_be_signed), _LOOKED_AT)]
    without_version = tags[1:] if tags[:1] == [0xA0] else tags
    if without_version[:6] == [der.INTEGER, *[der.SEQUENCE] * 5]:
        return Kind.CERTIFICATE
    if tags[:3] == [der.INTEGER, der.SEQUENCE, der.SEQUENCE] and tags[3:] in ([], [0xA0]):
        return Kind.CSR
    unnumbered = tags[1:] if tags[:1] == [der.INTEGER] else tags
    is_list = unnumbered[:2] == [der.SEQUENCE, der.SEQUENCE] and bool(_TIMES.intersection(unnumbered[2:3]))
    return Kind.CRL if is_list else Kind.UNKNOWN


def _begins_with_identifier(element: Element) -> bool:
    """Whether this may be an AlgorithmIdentifier or a ContentInfo."""
    return any(child.tag == der.OBJECT_IDENTIFIER for child in islice(children(element), 1))
