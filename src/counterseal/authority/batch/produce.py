"""The two steps of a batch that worker processes do: a row becomes a checked draft, a certificate becomes files.

Between them stands the signature, which only the process with the CA key makes. What goes in and out is plain values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from counterseal.authority.batch import tape
from counterseal.authority.find import show_serial
from counterseal.authority.signing import Checked, check_draft, record_of
from counterseal.bundles.credential import Credential
from counterseal.bundles.password import generate_password
from counterseal.bundles.pem import TRUST_ANCHOR_FILE, encode_certificate, encode_private_key, file_stem
from counterseal.bundles.pkcs12 import encode
from counterseal.fileset import SECRET, PlannedFile
from counterseal.keystore.software import generate_key
from counterseal.moments import epoch, moment
from counterseal.pki.certificate import assemble_end_entity
from counterseal.pki.keys import signature_algorithm
from counterseal.pki.policy import decide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from counterseal.authority.batch.order import BatchOrder
    from counterseal.authority.batch.rows import ClientRow
    from counterseal.pki.certificate import Issuer
    from counterseal.store.records import CertificateRecord


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft that may be signed, and the key that was made for it (PKCS#8 PEM)."""

    checked: Checked
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate that is signed and not yet recorded, with its key."""

    record: CertificateRecord
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The files of some certificates as members of an archive, and their lines in the sheet."""

    members: bytes = field(repr=False)
    lines: tuple[tuple[str, str, str, str], ...] = field(repr=False)


def draft(
    order: BatchOrder, above: Issuer, actor: str, numbered: tuple[datetime, Sequence[tuple[int, ClientRow]]]
) -> list[Drafted]:
    """Make a key for each row and a draft that policy and lint let through; the serial numbers are reserved.

    Raises InputError, RefusedError: the rows were judged before, so only what changed since can do that.
    """
    now, rows = numbered
    algorithm = signature_algorithm(above.certificate.public_key())
    drafted = []
    for serial_number, row in rows:
        key = generate_key(order.key)
        request = decide(order.asked(row, key.public_key()), above, serial_number=serial_number, now=now)
        made = assemble_end_entity(request, above, algorithm)
        preview, _ = check_draft(made, above.path)
        record = record_of(
            preview, issuer=above.name, name=row.name, profile=order.profile.name, at=epoch(now), actor=actor
        )
        drafted.append(Drafted(Checked(made, record), encode_private_key(key)))
    return drafted


def pack(
    order: BatchOrder,
    above: Issuer,
    folder: str,
    random_bytes: Callable[[int], bytes],
    signed: Sequence[Signed],
) -> Chunk:
    """Return the files of these certificates: key, full chain and, when asked for, PKCS#12."""
    files: list[PlannedFile] = []
    lines = []
    chain = b"".join(map(encode_certificate, above.chain))
    for one in signed:
        record, password = one.record, ""
        certificate = x509.load_der_x509_certificate(record.certificate or b"")
        stem = file_stem(record.name)
        files.append(PlannedFile(f"{stem}.key.pem", one.key, SECRET))
        files.append(PlannedFile(f"{stem}.fullchain.pem", encode_certificate(certificate) + chain))
        if order.packing:
            password = order.packing.password or generate_password(random_bytes)
            files.append(PlannedFile(f"{stem}.p12", _pkcs12(order, above, one, certificate, password), SECRET))
        shown = "" if order.packing is None or order.packing.password else password
        lines.append(
            (record.name, show_serial(record.serial_number), f"{moment(record.not_after):%Y-%m-%dT%H:%M:%SZ}", shown)
        )
    at = signed[0].record.created_at
    return Chunk(tape.encode(files, folder=folder, at=at), tuple(lines))


def common_files(above: Issuer) -> Iterator[PlannedFile]:
    """Yield what is the same for every certificate of the batch: the trust anchor."""
    yield PlannedFile(TRUST_ANCHOR_FILE, encode_certificate(above.trust_anchor))


def _pkcs12(order: BatchOrder, above: Issuer, one: Signed, certificate: x509.Certificate, password: str) -> bytes:
    assert order.packing is not None  # noqa: S101 - for the type checker; the caller asked
    key = load_pem_private_key(one.key, None)
    credential = Credential(one.record.name, certificate, above.chain, above.trust_anchor, key)
    return encode(credential, password, strength=order.packing.strength, rounds=order.packing.rounds)
