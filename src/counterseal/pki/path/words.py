"""How the values that a check compared are read by people; whatever is not listed here reads as Python writes it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from counterseal.duration import show_duration
from counterseal.moments import show_moment
from counterseal.pki.keys import KeySpec, show_spec
from counterseal.pki.names import show_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SHOWN_NAMES = 5
_SHOWN_OCTETS = 8
_PURPOSES = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "emailProtection",
    ExtendedKeyUsageOID.CODE_SIGNING: "codeSigning",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSPSigning",
    ExtendedKeyUsageOID.TIME_STAMPING: "timeStamping",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "anyExtendedKeyUsage",
}


def in_words(value: object) -> object:
    """Return a value as it stands in a message."""
    show = _WORDS.get(type(value))
    return value if show is None else show(value)


def _octets(octets: bytes) -> str:
    """Enough of a key identifier to tell keys apart."""
    return octets[:_SHOWN_OCTETS].hex().upper() + ("..." if len(octets) > _SHOWN_OCTETS else "")


def _names(names: Sequence[x509.GeneralName]) -> str:
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return (", ".join(show_name(name) for name in names[:SHOWN_NAMES]) or "none") + more


def _purpose(oid: ObjectIdentifier) -> str:
    return _PURPOSES.get(oid) or oid.dotted_string


def _purposes(usages: x509.ExtendedKeyUsage) -> str:
    return ", ".join(map(_purpose, usages))


def _usages(usage: x509.KeyUsage) -> str:
    names = {
        "digitalSignature": usage.digital_signature,
        "nonRepudiation": usage.content_commitment,
        "keyEncipherment": usage.key_encipherment,
        "dataEncipherment": usage.data_encipherment,
        "keyAgreement": usage.key_agreement,
        "keyCertSign": usage.key_cert_sign,
        "cRLSign": usage.crl_sign,
    }
    return ", ".join(name for name, present in names.items() if present) or "nothing"


_NAMES = (
    x509.DNSName,
    x509.IPAddress,
    x509.RFC822Name,
    x509.UniformResourceIdentifier,
    x509.DirectoryName,
    x509.RegisteredID,
    x509.OtherName,
)
_WORDS: dict[type, Callable[[Any], str]] = {
    datetime: show_moment,
    timedelta: show_duration,
    bytes: _octets,
    type(None): lambda _: "(none)",
    tuple: _names,
    KeySpec: show_spec,
    ObjectIdentifier: _purpose,
    x509.ExtendedKeyUsage: _purposes,
    x509.KeyUsage: _usages,
    **dict.fromkeys(_NAMES, show_name),
}
