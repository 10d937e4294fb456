"""What a certificate says: for whom, for what, by whom, until when, with which key, names and extensions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha1, sha256
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterseal.errors import InputError
from counterseal.pki import der_reader
from counterseal.pki.describe.extensions import ExtensionFacts, describe_extensions, describe_raw_extensions
from counterseal.pki.describe.key import KeyFacts, describe_key_of
from counterseal.pki.describe.oids import oid_name
from counterseal.pki.describe.purpose import permission_of, title_of
from counterseal.pki.describe.values import show_any_name
from counterseal.pki.extensions import read_extensions
from counterseal.pki.lint.linted import Linted
from counterseal.pki.shown import printable, show_serial
from counterseal.pki.subject import common_name, show_subject

if TYPE_CHECKING:
    from datetime import datetime

    from counterseal.pki.der_reader import Element

_EXTENSIONS = 0xA3  # [3] EXPLICIT Extensions, RFC 5280 4.1


class Validity(StrEnum):
    """Where a moment stands beside the lifetime of a certificate or list."""

    VALID = "valid"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """A certificate in words; times are aware, in UTC, ``seconds_left`` is negative after the end."""

    title: str
    purpose: str
    subject: str
    issuer: str
    self_issued: bool
    is_ca: bool
    serial_number: str
    version: int
    not_before: datetime
    not_after: datetime
    validity: Validity
    seconds_left: int
    names: tuple[str, ...]
    key: KeyFacts
    signature_algorithm: str
    sha256: str
    sha1: str
    extensions: tuple[ExtensionFacts, ...]
    extensions_problem: str | None = None


def describe_certificate(certificate: x509.Certificate, *, at: datetime) -> CertificateFacts:
    """Return what the certificate says, seen at the moment ``at``."""
    content = certificate.public_bytes(Encoding.DER)
    read = Linted.of(certificate, ())
    subject, issuer = certificate.subject, certificate.issuer
    listed = read.value(x509.ExtendedKeyUsage)
    usages, names = None if listed is None else list(listed), [show_any_name(name) for name in read.names]
    shown = common_name(subject) or next(iter(names), None) or show_subject(subject) or "nobody"
    end, (extensions, problem) = certificate.not_valid_after_utc, read_extensions(certificate)
    return CertificateFacts(
        title=title_of(is_ca=read.is_ca, self_issued=subject == issuer, usages=usages, shown=printable(shown)),
        purpose=permission_of(is_ca=read.is_ca, usages=usages),
        subject=show_subject(subject),
        issuer=show_subject(issuer),
        self_issued=subject == issuer,
        is_ca=read.is_ca,
        serial_number=show_serial(certificate.serial_number),
        version=certificate.version.value + 1,
        not_before=certificate.not_valid_before_utc,
        not_after=end,
        validity=validity_of(certificate.not_valid_before_utc, end, at),
        seconds_left=int((end - at).total_seconds()),
        names=tuple(names),
        key=describe_key_of(certificate.public_key),
        signature_algorithm=oid_name(certificate.signature_algorithm_oid.dotted_string),
        sha256=sha256(content).hexdigest(),
        sha1=sha1(content, usedforsecurity=False).hexdigest(),
        extensions=_unreadable(certificate) if extensions is None else describe_extensions(extensions),
        extensions_problem=problem,
    )


def validity_of(begin: datetime, end: datetime | None, at: datetime) -> Validity:
    """Return where ``at`` stands beside the time from ``begin`` to ``end``, both included (RFC 5280 4.1.2.5)."""
    if at < begin:
        return Validity.NOT_YET_VALID
    return Validity.EXPIRED if end is not None and at > end else Validity.VALID


def _unreadable(certificate: x509.Certificate) -> tuple[ExtensionFacts, ...]:
    try:
        fields = der_reader.read(certificate.tbs_certificate_bytes).children()
        return describe_raw_extensions(part for field in fields if field.tag == _EXTENSIONS for part in _within(field))
    except InputError:
        return ()


def _within(field: Element) -> list[Element]:
    return der_reader.read(field.content).children()
