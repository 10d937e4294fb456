"""Take over a CA that another program made, with all it has issued and revoked, and go on from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from counterseal.authority.openssl_index import common_name_in, find_certificate, parse_index
from counterseal.authority.parts import ROOT
from counterseal.authority.signing import record_of
from counterseal.errors import InputError, RefusedError
from counterseal.files import read_file
from counterseal.moments import epoch
from counterseal.pki.certificate import purpose_of
from counterseal.pki.crl import RevocationReason, encode_entry
from counterseal.pki.extensions import extension_in
from counterseal.pki.profile import Purpose
from counterseal.pki.reading import certificates_in
from counterseal.pki.shown import show_serial
from counterseal.pki.subject import common_name, show_subject
from counterseal.store.records import IMPORTED, CARecord, CertificateRecord, Status

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from counterseal.authority.openssl_index import IndexEntry
    from counterseal.authority.parts import Authority


@dataclass(frozen=True, slots=True)
class Import:
    """What is taken over: the CA's certificate and key, and the directory of openssl or easy-rsa, if there is one."""

    certificate: x509.Certificate
    private_key: CertificateIssuerPrivateKeyTypes
    index: str = ""
    directory: Path | None = None
    crl_number: int = 0
    encrypt: bool = True


@dataclass(frozen=True, slots=True)
class Imported:
    """The CA as it stands here, and how many certificates came with it."""

    ca: CARecord
    certificates: int
    revoked: int


def import_ca(authority: Authority, what: Import) -> Imported:
    """Make the CA ``root`` of an empty store out of a self-signed CA made elsewhere.

    Raises InputError ``import.*`` when certificate and key do not belong together, RefusedError when it is no CA, and
    InputError ``certificate.*`` for a certificate that it issued and that cannot be read.
    """
    _check(what)
    entries = [entry for entry in parse_index(what.index) if entry.serial_number != what.certificate.serial_number]
    authority.keystore.add(ROOT, what.private_key, encrypt=what.encrypt)
    content = what.certificate.public_bytes(Encoding.DER)
    kinds: dict[Purpose, Literal["server", "client", "any"]] = {
        Purpose.SERVER: "server",
        Purpose.CLIENT: "client",
        Purpose.ANY: "any",
    }
    record = CARecord(
        ROOT, kinds[purpose_of(what.certificate)], None, content, ROOT, "active", epoch(authority.clock())
    )
    authority.store.add_ca(record, crl_number=what.crl_number)
    adopted = [_adopted(authority, entry, what) for entry in entries]
    authority.store.adopt(adopted)
    return Imported(record, len(adopted), sum(entry.revoked_at is not None for entry in entries))


def _check(what: Import) -> None:
    certificate = what.certificate
    if certificate.public_key() != what.private_key.public_key():
        raise InputError("import.key", f"the key is not that of the CA: {show_subject(certificate.subject)}")
    if certificate.issuer != certificate.subject:
        raise RefusedError(
            "import.not_root",
            f"only a self-signed CA can be taken over: {show_subject(certificate.subject)}",
            hint="import its root, or make a new issuing CA: counterseal ca add",
        )
    constraints = extension_in(certificate.extensions, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        raise RefusedError("import.not_ca", f"not a CA certificate: {show_subject(certificate.subject)}")


def _adopted(authority: Authority, entry: IndexEntry, what: Import) -> tuple[CertificateRecord, bytes | None]:
    record = _record(authority, entry, what)
    if entry.revoked_at is None:
        return record, None
    held = entry.reason is RevocationReason.CERTIFICATE_HOLD
    revoked = record._replace(
        status=Status.HELD if held else Status.REVOKED,
        revoked_at=epoch(entry.revoked_at),
        revocation_reason=entry.reason.value,
    )
    return revoked, encode_entry(entry.serial_number, entry.revoked_at, reason=entry.reason)


def _record(authority: Authority, entry: IndexEntry, what: Import) -> CertificateRecord:
    file = find_certificate(what.directory, entry.serial_number) if what.directory else None
    if file is not None:
        certificate = certificates_in(read_file(file), source=str(file))[0]
        name = common_name(certificate.subject) or show_serial(entry.serial_number)
        content = certificate.public_bytes(Encoding.DER)
        at = epoch(authority.clock())
        return record_of(certificate, content, issuer=ROOT, name=name, profile=IMPORTED, at=at, actor=authority.actor)
    return CertificateRecord(
        serial_number=entry.serial_number,
        issuer=ROOT,
        name=common_name_in(entry.subject) or show_serial(entry.serial_number),
        subject=entry.subject,
        names=(),
        profile=IMPORTED,
        group=None,
        status=Status.VALID,
        not_before=0,
        not_after=epoch(entry.not_after),
        certificate=None,
        created_at=epoch(authority.clock()),
        created_by=authority.actor,
    )
