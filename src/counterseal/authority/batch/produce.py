"""The two steps of a batch that worker processes do: a row becomes a checked draft, a certificate becomes files.

Between them stands the signature, which only the process with the CA key makes. What goes in and out is plain values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from counterseal.authority.batch import tape
from counterseal.authority.batch.shape import POINT_OCTETS, Model, has_shapes, is_unguessable, plain
from counterseal.authority.find import show_serial
from counterseal.authority.signing import Checked, check_draft, record_of
from counterseal.bundles.credential import Credential
from counterseal.bundles.password import generate_password
from counterseal.bundles.pem import TRUST_ANCHOR_FILE, encode_certificate, file_stem, pem_block
from counterseal.bundles.pkcs12 import encode
from counterseal.fileset import SECRET, PlannedFile
from counterseal.keystore.software import generate_key
from counterseal.moments import epoch, moment
from counterseal.pki.certificate import assemble_end_entity, end_entity_template
from counterseal.pki.keys import signature_algorithm
from counterseal.pki.policy import decide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from counterseal.authority.batch.order import BatchOrder
    from counterseal.authority.batch.rows import ClientRow
    from counterseal.authority.batch.shape import Shape
    from counterseal.pki.certificate import Draft, IssuanceRequest, Issuer
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
    judge = partial(judged, order, above, actor, now)
    models: dict[Shape, Model] = {}
    shaped = has_shapes(order, above)
    drafted = []
    for serial_number, row in rows:
        key = generate_key(order.key)
        octets = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        alike = plain(order, row) if shaped and is_unguessable(serial_number) else None
        if alike is not None and (model := models.get(alike.shape)):
            made, record = model.fill(alike, serial_number, octets[-POINT_OCTETS:])  # RFC 5915 3, the last field
        else:
            request, made, record = judge(row, serial_number, key.public_key())
            if alike is not None:
                template = end_entity_template(request, above, made.signature_algorithm)
                models[alike.shape] = Model.of(alike, template, record)
        drafted.append(Drafted(Checked(made, record), pem_block("PRIVATE KEY", octets)))
    return drafted


def judged(
    order: BatchOrder,
    above: Issuer,
    actor: str,
    now: datetime,
    row: ClientRow,
    serial_number: int,
    public_key: CertificatePublicKeyTypes,
) -> tuple[IssuanceRequest, Draft, CertificateRecord]:
    """Return what policy and lint let through of a row, and what the store will say of it."""
    request = decide(order.asked(row, public_key), above, serial_number=serial_number, now=now)
    made = assemble_end_entity(request, above, signature_algorithm(above.certificate.public_key()))
    preview, _ = check_draft(made, above.path)
    record = record_of(
        preview, issuer=above.name, name=row.name, profile=order.profile.name, at=epoch(now), actor=actor
    )
    return request, made, record


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
        content = record.certificate or b""
        stem = file_stem(record.name)
        files.append(PlannedFile(f"{stem}.key.pem", one.key, SECRET))
        files.append(PlannedFile(f"{stem}.fullchain.pem", pem_block("CERTIFICATE", content) + chain))
        if order.packing:
            password = order.packing.password or generate_password(random_bytes)
            files.append(
                PlannedFile(
                    f"{stem}.p12", _pkcs12(order, above, one, x509.load_der_x509_certificate(content), password), SECRET
                )
            )
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
