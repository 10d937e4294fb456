"""Certificates with exactly one thing wrong: good ones, changed in one field, their signature made again or not."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from counterseal.pki import der, der_reader
from pki_fixtures import CERTIFICATE_CREATED, CERTIFICATE_EXPIRES, PKI, Issued, PrivateKey, key_of, pki

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Extensions = tuple[tuple[x509.ExtensionType, bool], ...]
SIGNING = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
CA_USAGE = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
KEY = key_of("p-256", 7)
END = CERTIFICATE_CREATED.replace(month=5)


def name(*pairs: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    """Return a name of these attributes, unchecked."""
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # of lengths
        return x509.Name([x509.NameAttribute(oid, value, _validate=False) for oid, value in pairs])


@dataclass(frozen=True)
class Sample:
    """A good server certificate below the server CA; ``replace`` makes one thing wrong."""

    subject: x509.Name = field(default_factory=lambda: name((NameOID.COMMON_NAME, "a.example")))
    issuer: Issued = field(default_factory=lambda: pki().server_ca)
    key: PrivateKey = KEY
    serial_number: int = 1 << 100
    begin: datetime = CERTIFICATE_CREATED
    end: datetime = END
    names: tuple[x509.GeneralName, ...] = (x509.DNSName("a.example"),)
    usages: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.SERVER_AUTH,)
    key_usage: x509.KeyUsage | None = SIGNING
    changed: Mapping[type[x509.ExtensionType], tuple[x509.ExtensionType, bool] | None] = field(default_factory=dict)
    more: Extensions = ()

    def extensions(self) -> list[tuple[x509.ExtensionType, bool]]:
        """Return the extensions with what was changed, in their order; a change to None leaves one out."""
        issuer_key = x509.SubjectKeyIdentifier.from_public_key(self.issuer.private_key.public_key())
        own: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(False, None), True),
            (x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key), False),
        ]
        own += [(self.key_usage, True)] if self.key_usage else []
        own += [(x509.ExtendedKeyUsage(self.usages), False)] if self.usages else []
        own += [(x509.SubjectAlternativeName(self.names), not self.subject.rdns)] if self.names else []
        changed = [self.changed.get(type(value), (value, critical)) for value, critical in own]
        return [one for one in changed if one is not None] + list(self.more)

    def made(self) -> x509.Certificate:
        """Return the certificate, signed by its issuer."""
        builder = x509.CertificateBuilder().subject_name(self.subject).issuer_name(self.issuer.certificate.subject)
        builder = builder.public_key(self.key.public_key()).serial_number(self.serial_number)
        builder = builder.not_valid_before(self.begin).not_valid_after(self.end)
        for value, critical in self.extensions():
            builder = builder.add_extension(value, critical)
        return builder.sign(self.issuer.private_key, hashes.SHA256())


def ca_sample(known: PKI | None = None, **changes: object) -> Sample:
    """Return a good issuing CA below the root, changed as given."""
    good = Sample(
        subject=name((NameOID.COMMON_NAME, "A CA")),
        issuer=(known or pki()).root,
        end=CERTIFICATE_EXPIRES,
        names=(),
        key_usage=CA_USAGE,
        changed={x509.BasicConstraints: (x509.BasicConstraints(True, 0), True)},
    )
    return replace(good, **changes)  # type: ignore[arg-type] # fields of Sample


def edited(certificate: x509.Certificate, fields: Mapping[int, bytes], *more: bytes) -> x509.Certificate:
    """Return the certificate with some fields of its TBSCertificate replaced by DER, its signature as it was.

    0 is the version, 1 the serial number, 2 the algorithm, 4 the validity, 7 the extensions; empty DER leaves one out.
    """
    body, algorithm, signature = der_reader.read(certificate.public_bytes(Encoding.DER)).children()
    parts = [fields.get(number, part.whole) for number, part in enumerate(body.children())]
    made = der.sequence(der.sequence(*parts[:7], *more, *parts[7:]), algorithm.whole, signature.whole)
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # of serial numbers, made wrong on purpose
        return x509.load_der_x509_certificate(made)
