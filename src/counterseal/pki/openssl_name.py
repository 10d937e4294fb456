r"""Distinguished names as OpenSSL prints them with ``-nameopt RFC2253``, and nginx in ``$ssl_client_s_dn``.

A mirror of X509_NAME_print_ex and ASN1_STRING_print_ex of OpenSSL 3 (``crypto/asn1/a_strex.c``): allow lists and
revocation maps compare these strings octet for octet. It reads the DER, since the type of a string and the order inside
a SET decide what is printed.
"""

from __future__ import annotations

from cryptography.x509.oid import NameOID

from counterseal.pki import der_reader
from counterseal.pki.attributes import ATTRIBUTE_TYPES

# Types that OpenSSL names and Counterseal does not issue; all others are printed as numbers with their DER in hex.
_NOT_ISSUED = {
    NameOID.X500_UNIQUE_IDENTIFIER: "x500UniqueIdentifier",
    NameOID.POSTAL_ADDRESS: "postalAddress",
    NameOID.UNSTRUCTURED_NAME: "unstructuredName",
    NameOID.JURISDICTION_COUNTRY_NAME: "jurisdictionC",
    NameOID.JURISDICTION_STATE_OR_PROVINCE_NAME: "jurisdictionST",
    NameOID.JURISDICTION_LOCALITY_NAME: "jurisdictionL",
    NameOID.INN: "INN",
    NameOID.OGRN: "OGRN",
    NameOID.SNILS: "SNILS",
}
_NAMES = {
    oid.dotted_string: name
    for oid, name in (*((kind.oid, kind.name) for kind in ATTRIBUTE_TYPES), *_NOT_ISSUED.items())
}
# tag2nbyte of a_strex.c: one octet per character is taken for Latin-1; any other tag is printed as DER in hex.
_ENCODINGS = {12: "utf-8", 18: "latin-1", 19: "latin-1", 20: "latin-1", 22: "latin-1", 26: "latin-1"} | {
    28: "utf-32-be",
    30: "utf-16-be",
}
_ESCAPED = ',+"\\<>;'


def print_rfc2253(name: bytes) -> str:
    """Return the DER Name ``name`` in one line: last attribute first, separated by ``,`` and inside an RDN by ``+``."""
    return ",".join(
        "+".join(_print_attribute(pair) for pair in reversed(rdn.children()))
        for rdn in reversed(der_reader.read(name).children())
    )


def _print_attribute(pair: der_reader.Element) -> str:
    oid, value = pair.children()
    dotted, encoding = der_reader.as_object_identifier(oid), _ENCODINGS.get(value.tag)
    if dotted not in _NAMES or encoding is None:
        return f"{_NAMES.get(dotted, dotted)}=#{value.whole.hex().upper()}"
    return f"{_NAMES[dotted]}={_escape(value.content.decode(encoding).encode())}"


def _escape(value: bytes) -> str:
    shown = [_escape_octet(octet) for octet in value]
    # A lone character counts as the last one, where only a space is escaped.
    if value[:1] in {b"#", b" "} and len(value) > 1:
        shown[0] = "\\" + shown[0]
    if value[-1:] == b" ":
        shown[-1] = "\\ "
    return "".join(shown)


def _escape_octet(octet: int) -> str:
    if not 0x20 <= octet < 0x7F:  # noqa: PLR2004 - printable ASCII
        return f"\\{octet:02X}"
    character = chr(octet)
    return "\\" + character if character in _ESCAPED else character
