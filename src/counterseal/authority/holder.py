"""Who shows this certificate? Answered from the inventory as it is now, for every face that knows peers by certificate.

That the peer holds the key is proved elsewhere, by TLS or by a signature; here its certificate, octet for octet one
that we issued, must stand: issuer and serial number known, neither revoked nor held (nor a CA above it), its key nobody
else's as far as a revocation said, within its time, for the use asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from counterseal.errors import InputError, NotFoundError, RefusedError
from counterseal.moments import show_moment
from counterseal.pki.extensions import extension_in, read_extensions
from counterseal.pki.keys import key_hash_in
from counterseal.pki.profile import UNLISTED
from counterseal.pki.reading import UNREADABLE
from counterseal.pki.subject import show_subject
from counterseal.store.compromised_keys import find_compromised_key
from counterseal.store.records import Status

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority
    from counterseal.store.records import CertificateRecord

CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH
NO_GRACE = timedelta(0)


@dataclass(frozen=True, slots=True)
class Holder:
    """A certificate of ours that stands, and its row; ``expired`` only where a grace allowed it."""

    certificate: x509.Certificate
    record: CertificateRecord
    expired: bool = False

    @property
    def name(self) -> str:
        """What the inventory calls the certificate."""
        return self.record.name

    @property
    def identity(self) -> str:
        """Who it is, whichever of his certificates he shows: a renewed one, or one for a new key, is his as well.

        Another CA's, or another subject's, of the same name is somebody else: grants go by the subject.
        """
        return f"{self.record.issuer}\n{self.record.name}\n{self.record.subject}"


def holder_of(
    authority: Authority,
    content: bytes,
    *,
    usage: ObjectIdentifier | None = CLIENT_AUTH,
    grace: timedelta = NO_GRACE,
) -> Holder:
    """Return the holder of the certificate in ``content`` (DER).

    ``usage`` is the extended key usage that it must have, None for any; ``grace`` is for how long after its end it is
    still taken. Raises InputError ``peer.malformed``, RefusedError ``peer.unknown``, ``peer.revoked``,
    ``peer.not_yet_valid``, ``peer.expired``, ``peer.usage``.
    """
    shown = _read(content)
    certificate, subject = shown.certificate, shown.subject
    record = _record(authority, shown, content)
    if record is None or record.status is Status.RESERVED:
        raise RefusedError("peer.unknown", f"not a certificate of this CA: {subject}")
    if record.status is not Status.VALID:
        raise RefusedError("peer.revoked", f"the client certificate is {record.status}: {subject}")
    if shown.key_hash is not None and find_compromised_key(authority.store, shown.key_hash) is not None:
        raise RefusedError("peer.revoked", f"the key of the client certificate is compromised: {subject}")
    _check_path(authority, record.issuer)
    if record.profile in UNLISTED or (usage is not None and usage not in shown.usages):
        raise RefusedError("peer.usage", f"not a certificate for this use: {subject}")
    now = authority.clock()
    if now < certificate.not_valid_before_utc:
        raise RefusedError("peer.not_yet_valid", f"the client certificate is not valid yet: {subject}")
    end = certificate.not_valid_after_utc
    if now > end + grace:
        raise RefusedError("peer.expired", f"the client certificate expired on {show_moment(end)}: {subject}")
    return Holder(certificate, record, expired=now > end)


class _Shown(NamedTuple):
    """What a certificate says by itself."""

    certificate: x509.Certificate
    subject: str
    issuer: x509.Name
    usages: tuple[ObjectIdentifier, ...]
    key_hash: bytes | None


@lru_cache(maxsize=1_024)
def _read(content: bytes) -> _Shown:
    """Read a certificate once: a client shows the same one with every request."""
    try:
        certificate = x509.load_der_x509_certificate(content)
        subject, usages = show_subject(certificate.subject), _usages(certificate)
        return _Shown(certificate, subject, certificate.issuer, usages, key_hash_in(content))
    except UNREADABLE as error:
        raise InputError("peer.malformed", "the client certificate is not a certificate in DER") from error


@lru_cache(maxsize=64)
def _name_of(ca: x509.Certificate) -> x509.Name:
    return ca.subject


def _record(authority: Authority, shown: _Shown, content: bytes) -> CertificateRecord | None:
    for ca in authority.store.cas():
        issuer = authority.issuer(ca.name).certificate
        if _name_of(issuer) != shown.issuer:
            continue
        try:
            record = authority.store.certificate(shown.certificate.serial_number, issuer=ca.name)
        except (NotFoundError, InputError):  # the second: no serial number that a CA could have given
            continue
        if record.certificate == content or (record.certificate is None and _signed_by(shown.certificate, issuer)):
            return record
    return None


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the signature is this issuer's: of an imported certificate only the serial number may be known."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _check_path(authority: Authority, name: str | None) -> None:
    """Raise RefusedError when the CA, or one above it, has ended or was revoked."""
    now = authority.clock()
    while name is not None:
        record, ca = authority.store.ca(name), authority.issuer(name).certificate
        if now > ca.not_valid_after_utc:
            raise RefusedError(
                "peer.expired", f"the CA of the client certificate has ended: {show_subject(ca.subject)}"
            )
        if record.revoked_at is not None:
            raise RefusedError(
                "peer.revoked", f"the CA of the client certificate is revoked: {show_subject(ca.subject)}"
            )
        name = record.parent


def _usages(certificate: x509.Certificate) -> tuple[ObjectIdentifier, ...]:
    extensions, _ = read_extensions(certificate)
    return tuple(extension_in(extensions, x509.ExtendedKeyUsage) or ())
