"""The attributes of a distinguished name: how each is called, and which values it takes.

RFC 5280 4.1.2.4 and appendix A.1 (types and upper bounds), RFC 4514 3 and RFC 4519 (short names). The names in the
first column are OpenSSL's, because nginx prints those.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from counterseal.errors import InputError, hint_for
from counterseal.pki.shown import has_control, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator


class AttributeType(NamedTuple):
    """One type of attribute: OpenSSL's short name, other names it goes by, and the most characters it may have."""

    name: str
    oid: ObjectIdentifier
    aliases: tuple[str, ...] = ()
    upper_bound: int = 32_768
    alphabet: re.Pattern[str] | None = None


_PRINTABLE_STRING = re.compile(r"[A-Za-z0-9 '()+,./:=?-]*")  # X.680 41.4
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_IA5_STRING = re.compile(r"[\x00-\x7f]*")

ATTRIBUTE_TYPES = (
    AttributeType("C", NameOID.COUNTRY_NAME, ("countryName",), 2, re.compile("[A-Za-z]{2}")),
    AttributeType("ST", NameOID.STATE_OR_PROVINCE_NAME, ("S", "stateOrProvinceName"), 128),
    AttributeType("L", NameOID.LOCALITY_NAME, ("localityName",), 128),
    AttributeType("street", NameOID.STREET_ADDRESS, ("streetAddress",), 128),
    AttributeType("postalCode", NameOID.POSTAL_CODE, (), 40),
    AttributeType("O", NameOID.ORGANIZATION_NAME, ("organizationName",), 64),
    AttributeType("OU", NameOID.ORGANIZATIONAL_UNIT_NAME, ("organizationalUnitName",), 64),
    AttributeType("CN", NameOID.COMMON_NAME, ("commonName",), 64),
    AttributeType("SN", NameOID.SURNAME, ("surname",)),
    AttributeType("GN", NameOID.GIVEN_NAME, ("givenName",)),
    AttributeType("initials", NameOID.INITIALS),
    AttributeType("generationQualifier", NameOID.GENERATION_QUALIFIER),
    AttributeType("title", NameOID.TITLE, (), 64),
    AttributeType("pseudonym", NameOID.PSEUDONYM, (), 128),
    AttributeType("serialNumber", NameOID.SERIAL_NUMBER, (), 64, _PRINTABLE_STRING),
    AttributeType("dnQualifier", NameOID.DN_QUALIFIER, (), 64, _PRINTABLE_STRING),
    AttributeType("businessCategory", NameOID.BUSINESS_CATEGORY, (), 128),
    AttributeType("organizationIdentifier", NameOID.ORGANIZATION_IDENTIFIER, (), 256),
    AttributeType("emailAddress", NameOID.EMAIL_ADDRESS, ("E", "email"), 128, _IA5_STRING),
    AttributeType("DC", NameOID.DOMAIN_COMPONENT, ("domainComponent",), 63, _IA5_STRING),
    AttributeType("UID", NameOID.USER_ID, ("userId",), 256),
)
_BY_OID = {kind.oid: kind for kind in ATTRIBUTE_TYPES}
_BY_NAME = {
    name.upper(): kind for kind in ATTRIBUTE_TYPES for name in (kind.name, *kind.aliases, kind.oid.dotted_string)
}
# RFC 4514 3 fixes nine names and the library shows those; the others it would show as numbers.
SHOWN_NAMES = {kind.oid: kind.name for kind in ATTRIBUTE_TYPES if kind.name != "street"}


def attribute(key: str, value: str) -> x509.NameAttribute[str]:
    """Return the attribute that ``key`` names (``CN``, ``commonName``, ``2.5.4.3``; case does not matter).

    Raises InputError: ``subject.attribute`` for an unknown key, ``subject.value`` for a value that it does not take.
    """
    kind = _BY_NAME.get(key.upper())
    if kind is None:
        hint = hint_for(key, (kind.name for kind in ATTRIBUTE_TYPES))
        raise InputError("subject.attribute", f"unknown subject attribute: {quoted(key)}", hint=hint)
    for fault in _value_faults(kind, value):
        too_long = kind.oid == NameOID.COMMON_NAME and len(value) > kind.upper_bound
        shorter = "choose a shorter one; what is longer can be a subject alternative name" if too_long else None
        raise InputError("subject.value", fault, hint=shorter)
    # The library would count the octets of a common name, of which X.520 bounds the characters, and refuse 33 umlauts.
    return x509.NameAttribute(kind.oid, value, _validate=False)


def faults(found: x509.NameAttribute[str | bytes]) -> tuple[str, ...]:
    """Return why ``attribute`` would not make this one, which came from elsewhere; empty when it would."""
    kind = _BY_OID.get(found.oid)
    if kind is None:
        return (f"unknown subject attribute: {found.oid.dotted_string}",)
    return tuple(_value_faults(kind, str(found.value)))


def _value_faults(kind: AttributeType, value: str) -> Iterator[str]:
    if not value.strip():
        yield f"subject attribute {kind.name} is empty: {quoted(value)}"
    if has_control(value):
        what = "octets that are no UTF-8" if _SURROGATE.search(value) else "control character"
        yield f"{what} in subject attribute {kind.name}: {quoted(value)}"
    if len(value) > kind.upper_bound:
        yield f"subject attribute {kind.name} has {len(value)} characters, at most {kind.upper_bound}: {quoted(value)}"
    elif kind.alphabet is not None and not kind.alphabet.fullmatch(value):
        yield f"subject attribute {kind.name} does not take this value: {quoted(value)}"
