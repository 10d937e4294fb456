"""A certificate as path validation sees it: each part read once, and only when it is asked for; faults are values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from counterseal.pki import der, der_reader
from counterseal.pki.constraints import comparable
from counterseal.pki.extensions import UNREADABLE, why_unreadable
from counterseal.pki.path.once import once
from counterseal.pki.reading import load_der_certificate
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

Given = x509.Certificate | bytes
"""A certificate as the library has it, or its DER as a peer or a file has it."""
ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)
_UP_TO_SUBJECT = 4  # SEQUENCEs of a TBSCertificate: algorithm, issuer, validity, subject
_UNREADABLE = (*UNREADABLE, UnsupportedAlgorithm)


class Octets(NamedTuple):
    """What is signed of a certificate, and what of it is compared octet for octet (RFC 5280 4.1)."""

    signed: bytes
    named_algorithm: bytes
    """The AlgorithmIdentifier inside of what is signed."""
    algorithm: bytes
    """The one beside the signature."""
    issuer: bytes
    subject: bytes


class Candidate:
    """One certificate and, where it is one, the fact that it is a trust anchor."""

    def __init__(self, given: Given, *, anchor: bool = False) -> None:
        if isinstance(given, bytes):
            self.encoded = given
        else:
            self.certificate = given
        self.anchor = anchor

    def __str__(self) -> str:
        return self.name

    @once
    def certificate(self) -> x509.Certificate:
        """The certificate itself; raises InputError ``certificate.malformed`` for octets that are none."""
        return load_der_certificate(self.encoded)

    @once
    def encoded(self) -> bytes:
        """The DER."""
        return self.certificate.public_bytes(Encoding.DER)

    @once
    def octets(self) -> Octets:
        """The parts of the DER, which the library has written: so its form needs no second look."""
        data = self.encoded
        start, _ = der_reader.bounds(data, 0)
        position, end = der_reader.bounds(data, start)
        signed = data[start:end]
        fields: list[bytes] = []
        _, behind = der_reader.bounds(data, end)
        algorithm = data[end:behind]
        while len(fields) < _UP_TO_SUBJECT:
            _, behind = der_reader.bounds(data, position)
            if data[position] == der.SEQUENCE:  # version and serial number are none
                fields.append(data[position:behind])
            position = behind
        named_algorithm, issuer, _, subject = fields
        return Octets(signed, named_algorithm, algorithm, issuer, subject)

    @once
    def name(self) -> str:
        """The subject as people read it."""
        return _shown(self.subject) or "(no subject)"

    @once
    def issuer_name(self) -> str:
        """The issuer as people read it."""
        return _shown(self.issuer) or "(no issuer)"

    @once
    def subject(self) -> x509.Name | None:
        """The subject; None when it cannot be read."""
        return self._read_name("subject")

    @once
    def issuer(self) -> x509.Name | None:
        """The issuer; None when it cannot be read."""
        return self._read_name("issuer")

    @once
    def subject_key(self) -> object:
        """The subject in a form whose equality is that of RFC 5280 7.1."""
        return None if self.subject is None else tuple(comparable(self.subject))

    @once
    def issuer_key(self) -> object:
        """The issuer in the same form."""
        return None if self.issuer is None else tuple(comparable(self.issuer))

    @once
    def self_issued(self) -> bool:
        """Whether subject and issuer are the same name (RFC 5280 6.1)."""
        if self.octets.issuer == self.octets.subject:
            return self.subject is not None
        return self.issuer_key is not None and self.issuer_key == self.subject_key

    def names_issuer(self, other: Candidate) -> bool:
        """Whether the issuer is the subject of ``other``; a name that is the same octet for octet is read once."""
        if self.octets.issuer == other.octets.subject:
            other.subject = self.issuer
            return self.issuer is not None
        return self.issuer_key is not None and self.issuer_key == other.subject_key

    @once
    def public_key(self) -> CertificatePublicKeyTypes | None:
        """The public key; None when it cannot be used."""
        try:
            return self.certificate.public_key()
        except _UNREADABLE:
            return None

    def is_same_authority(self, other: Candidate) -> bool:
        """Whether both have the same name and key, so that a path gains nothing by passing both (RFC 4158 5.2)."""
        return self.public_key == other.public_key and self.subject_key == other.subject_key

    @once
    def extensions(self) -> tuple[x509.Extension[x509.ExtensionType], ...]:
        """The extensions; none when they cannot be read."""
        try:
            return tuple(self.certificate.extensions)
        except _UNREADABLE as error:
            self.unreadable = why_unreadable(error)
            return ()

    unreadable: str | None = None
    """Why the extensions cannot be read; known after the first look at them."""

    @once
    def _by_kind(self) -> Mapping[type, x509.Extension[x509.ExtensionType]]:
        return {type(extension.value): extension for extension in self.extensions}

    def extension(self, kind: type[ExtensionT]) -> x509.Extension[ExtensionT] | None:
        """Return the extension of this class, or None."""
        return self._by_kind.get(kind)  # type: ignore[return-value] # the class of the value is the key

    def unrecognized(self, identifier: str) -> bytes | None:
        """Return the value of an extension that the library has no class for, or None."""
        if x509.UnrecognizedExtension not in self._by_kind:
            return None
        found = (one.value.public_bytes() for one in self.extensions if one.oid.dotted_string == identifier)
        return next(found, None)

    def value(self, kind: type[ExtensionT]) -> ExtensionT | None:
        """Return the value of the extension of this class, or None."""
        found = self._by_kind.get(kind)
        return None if found is None else found.value  # type: ignore[return-value] # the class of the value is the key

    @once
    def subject_key_identifier(self) -> bytes | None:
        """The subject key identifier, or None."""
        found = self.value(x509.SubjectKeyIdentifier)
        return None if found is None else found.digest

    @once
    def authority_key_identifier(self) -> bytes | None:
        """The key identifier of the issuer that the certificate names, or None."""
        found = self.value(x509.AuthorityKeyIdentifier)
        return None if found is None else found.key_identifier

    @once
    def is_ca(self) -> bool:
        """Whether basicConstraints says so."""
        found = self.value(x509.BasicConstraints)
        return found is not None and found.ca

    def _read_name(self, which: str) -> x509.Name | None:
        try:
            name: x509.Name = getattr(self.certificate, which)
        except _UNREADABLE:
            return None
        return name


def _shown(name: x509.Name | None) -> str:
    return "(unreadable name)" if name is None else show_subject(name)
