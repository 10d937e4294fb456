"""What a PKCS#12 file is: without its password how it is protected, with it also what it holds (RFC 7292).

Of a key only the public half is told, but by ``load_pkcs12``, which everything opens a PKCS#12 with.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import pkcs12

from counterseal.bundles.pkcs12 import Strength
from counterseal.errors import InputError, KeyAccessError
from counterseal.findings import Finding, Severity
from counterseal.pki import ber, der, der_reader
from counterseal.pki.encryption import Scheme, mac_scheme_of, scheme_of
from counterseal.pki.shown import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
    from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12KeyAndCertificates

    from counterseal.pki.der_reader import Element

_DATA, _ENCRYPTED_DATA = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.6"
_KEY_BAG, _SHROUDED_KEY_BAG, _CERTIFICATE_BAG = (f"1.2.840.113549.1.12.10.1.{number}" for number in (1, 2, 3))
_FRIENDLY_NAME = "1.2.840.113549.1.9.20"


@dataclass(frozen=True, slots=True)
class Protection:
    """How the file is protected, told without its password.

    ``key`` and ``certificates`` are None where there are none, or where they stand unencrypted; the counts and
    ``friendly_names`` are of what stands outside of encrypted parts, which is often the key alone. ``strength`` is None
    when it is neither of ours.
    """

    mac: Scheme | None = None
    key: Scheme | None = None
    certificates: Scheme | None = None
    open_keys: int = 0
    open_certificates: int = 0
    friendly_names: tuple[str, ...] = ()

    @property
    def strength(self) -> Strength | None:
        """Modern or compatible in the words of ``bundles.pkcs12``, as a whole."""
        parts = [scheme for scheme in (self.mac, self.key, self.certificates) if scheme]
        if self.mac is None or self.open_keys or not parts:
            return None
        if all(scheme.modern for scheme in parts):
            return Strength.MODERN
        return None if any("RC" in scheme.words for scheme in parts) else Strength.COMPATIBLE

    @property
    def too_costly(self) -> bool:
        """Whether trying one password would take unreasonably long."""
        return any(scheme.too_costly for scheme in (self.mac, self.key, self.certificates) if scheme)


@dataclass(frozen=True, slots=True)
class Named:
    """A certificate with the name that its owner sees."""

    certificate: x509.Certificate
    friendly_name: str | None


@dataclass(frozen=True, slots=True)
class Contents:
    """What an opened file holds: the certificate of its key first, then the others, and the key's public half."""

    certificates: tuple[Named, ...]
    public_key: PublicKeyTypes | None = field(repr=False)


def read_protection(content: bytes) -> Protection:
    """Return how a PKCS#12 in DER or BER is protected; raises InputError ``pkcs12.malformed``."""
    try:
        fields = der_reader.read(ber.definite(content)).expect(der.SEQUENCE).children()
        found = [part for item in _within(fields[1]).children() for part in _parts(item)]
        mac = _mac(fields[2]) if fields[2:] else None
    except (InputError, IndexError, ValueError) as error:
        reason = error.message if isinstance(error, InputError) else "something is missing"
        raise InputError("pkcs12.malformed", f"not a readable PKCS#12 file: {reason}") from error
    encrypted = [part.scheme for part in found if part.kind == "encrypted"]
    keys = [part for part in found if part.kind == "key"]
    return Protection(
        mac=mac,
        key=next((key.scheme for key in keys if key.scheme), None)
        or (encrypted[0] if encrypted and not keys else None),
        certificates=encrypted[0] if encrypted else None,
        open_keys=sum(key.scheme is None for key in keys),
        open_certificates=sum(part.kind == "certificate" for part in found),
        friendly_names=tuple(dict.fromkeys(name for part in found for name in part.names)),
    )


def strength_before(content: bytes) -> Strength:
    """Return the strength of the file that replaces this one: the same, so that the same devices read it.

    Compatible where it was weaker than both; modern for what is no PKCS#12.
    """
    try:
        return read_protection(content).strength or Strength.COMPATIBLE
    except InputError:
        return Strength.MODERN


def protection_findings(protection: Protection) -> Iterator[Finding]:
    """Yield what is wrong with how a file is protected."""
    schemes = [scheme for scheme in (protection.key, protection.certificates) if scheme]
    for words in dict.fromkeys(scheme.words for scheme in schemes if "RC" in scheme.words):
        yield Finding(
            "pkcs12.weak",
            Severity.MEDIUM,
            f"encrypted with {words}, which OpenSSL 3 opens only with its legacy provider",
            hint="make it anew: counterseal export NAME --format p12",
        )
    if protection.open_keys:
        yield Finding("pkcs12.open_key", Severity.HIGH, "the private key in the PKCS#12 file is not encrypted")
    if protection.mac is None:
        yield Finding("pkcs12.no_mac", Severity.LOW, "the PKCS#12 file has no MAC: nobody notices when it is changed")


def open_pkcs12(content: bytes, password: str | None) -> Contents:
    """Return what the file holds, for looking at; raises as ``load_pkcs12`` does."""
    read = load_pkcs12(content, None if password is None else password.encode())
    certificates = [read.cert] if read.cert else []
    named = [Named(one.certificate, _name(one.friendly_name)) for one in (*certificates, *read.additional_certs)]
    return Contents(tuple(named), read.key.public_key() if read.key else None)


def load_pkcs12(content: bytes, password: bytes | None) -> PKCS12KeyAndCertificates:
    """Return what the file holds, the key too; raises KeyAccessError ``pkcs12.password``, InputError.

    A file that asks for unreasonable work before it opens is refused as InputError ``pkcs12.costly``, one that is none
    as ``pkcs12.malformed``.
    """
    if read_protection(content).too_costly:
        raise InputError("pkcs12.costly", "the PKCS#12 file asks for more work than a file of good intent")
    try:
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # that BER is read, as NSS writes it
            return pkcs12.load_pkcs12(content, password)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyAccessError(
            "pkcs12.password",
            "the password does not open the PKCS#12 file" if password else "the PKCS#12 file needs its password",
            hint="give the password in a file, --password-file FILE, or on a terminal when asked",
        ) from error


@dataclass(frozen=True, slots=True)
class _Part:
    kind: str
    scheme: Scheme | None = None
    names: tuple[str, ...] = ()


def _within(content_info: Element) -> Element:
    """Return the structure inside a ContentInfo of type data."""
    oid, explicit = content_info.expect(der.SEQUENCE).children()[:2]
    if der_reader.as_object_identifier(oid) != _DATA:
        der_reader.refuse("signed instead of protected by a password", content_info.first)
    return der_reader.read(ber.definite(explicit.children()[0].expect(der.OCTET_STRING).content))


def _parts(content_info: Element) -> Iterator[_Part]:
    oid = der_reader.as_object_identifier(content_info.expect(der.SEQUENCE).children()[0])
    if oid == _ENCRYPTED_DATA:
        encrypted = content_info.children()[1].children()[0].children()[1]
        yield _Part("encrypted", scheme_of(encrypted.children()[1]))
    elif oid == _DATA:
        yield from (_bag(bag) for bag in _within(content_info).children())
    else:
        yield _Part("other")


def _bag(bag: Element) -> _Part:
    oid, value, *attributes = bag.expect(der.SEQUENCE).children()
    names = tuple(name for attribute in attributes[:1] for name in _friendly_names(attribute))
    match der_reader.as_object_identifier(oid):
        case value_type if value_type == _SHROUDED_KEY_BAG:
            return _Part("key", scheme_of(value.children()[0].children()[0]), names)
        case value_type if value_type == _KEY_BAG:
            return _Part("key", None, names)
        case value_type if value_type == _CERTIFICATE_BAG:
            return _Part("certificate", None, names)
    return _Part("other", None, names)


def _friendly_names(attributes: Element) -> Iterator[str]:
    for attribute in attributes.expect(der.SET).children():
        oid, values = attribute.children()[:2]
        if der_reader.as_object_identifier(oid) == _FRIENDLY_NAME:
            yield from (printable(value.content.decode("utf-16-be", "replace")) for value in values.children())


def _mac(mac: Element) -> Scheme:
    fields = mac.expect(der.SEQUENCE).children()
    return mac_scheme_of(fields[0], der_reader.as_integer(fields[2]) if fields[2:] else 1)


def _name(value: bytes | None) -> str | None:
    return printable(value.decode("utf-8", "replace")) if value is not None else None
