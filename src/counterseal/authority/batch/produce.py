"""The two steps of a batch that worker processes do: a row becomes a checked draft, a certificate becomes files.

Between them stands the signature, which only the process with the CA key makes. What goes in and out is plain values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from counterseal.authority.batch import tape
from counterseal.authority.batch.shape import Model, has_shapes, is_unguessable, plain
from counterseal.authority.signing import check_draft, record_of
from counterseal.bundles.credential import Credential
from counterseal.bundles.password import generate_password
from counterseal.bundles.pem import TRUST_ANCHOR_FILE, file_stem
from counterseal.bundles.pkcs12 import encode
from counterseal.fileset import PUBLIC, SECRET
from counterseal.keystore.software import generate_key
from counterseal.moments import epoch, moment
from counterseal.pki.certificate import assemble_end_entity, end_entity_template
from counterseal.pki.keys import signature_algorithm
from counterseal.pki.pem import encode_certificates
from counterseal.pki.pem_writer import pem_block
from counterseal.pki.policy import decide
from counterseal.pki.shown import show_serial
from counterseal.pki.template import P256_POINT_OCTETS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from counterseal.authority.batch.order import BatchOrder
    from counterseal.authority.batch.rows import ClientRow
    from counterseal.authority.batch.shape import Shape
    from counterseal.bundles.pkcs12 import Packing
    from counterseal.pki.certificate import Draft, IssuanceRequest, Issuer
    from counterseal.store.records import CertificateRecord


MODELS_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Drafted:
    """TBSCertificates that may be signed, what the store will say of each, and its key (PKCS#8 PEM)."""

    drafts: list[bytes]
    records: list[CertificateRecord]
    keys: list[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signed:
    """What is packed: name, serial number, end of validity, certificate (DER) and key (PEM) of each, and the time."""

    at: int
    certificates: list[tuple[str, int, int, bytes, bytes]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The files of some certificates as members of an archive, and their lines in the sheet."""

    members: bytes = field(repr=False)
    lines: tuple[tuple[str, str, str, str], ...] = field(repr=False)


def draft(
    order: BatchOrder,
    above: Issuer,
    actor: str,
    models: dict[tuple[datetime, Shape], Model],
    numbered: tuple[datetime, Sequence[tuple[int, ClientRow]]],
) -> Drafted:
    """Make a key for each row and a draft that policy and lint let through; the serial numbers are reserved.

    ``models`` keeps what was judged from one call to the next: within a second all of a shape are alike.
    Raises InputError, RefusedError: the rows were judged before, so only what changed since can do that.
    """
    now, rows = numbered
    judge = partial(judged, order, above, actor, now)
    if len(models) > MODELS_KEPT:
        models.clear()
    shaped = has_shapes(order, above)
    # One kind of work at a time: in turns they push each other out of the processor's caches.
    keys = [generate_key(order.key) for _ in rows]
    encoded = [key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()) for key in keys]
    drafts: list[bytes] = []
    records: list[CertificateRecord] = []
    for (serial_number, row), key, octets in zip(rows, keys, encoded, strict=True):
        alike = plain(order, row) if shaped and is_unguessable(serial_number) else None
        if alike is not None and (model := models.get((now, alike.shape))):
            tbs, record = model.fill(alike, serial_number, octets[-P256_POINT_OCTETS:])  # RFC 5915 3, the last field
        else:
            request, made, record = judge(row, serial_number, key.public_key())
            tbs = made.tbs
            if alike is not None:
                template = end_entity_template(request, above, made.signature_algorithm)
                models[now, alike.shape] = Model.of(alike, template, record)
        drafts.append(tbs)
        records.append(record)
    return Drafted(drafts, records, [pem_block("PRIVATE KEY", octets) for octets in encoded])


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
    signed: Signed,
) -> Chunk:
    """Return the files of these certificates: key, full chain and, when asked for, PKCS#12."""
    files: list[tuple[str, bytes, int]] = []
    lines = []
    chain = encode_certificates(*above.chain)
    for name, serial_number, not_after, content, key in signed.certificates:
        password = ""
        stem = file_stem(name)
        files.append((f"{stem}.key.pem", key, SECRET))
        files.append((f"{stem}.fullchain.pem", pem_block("CERTIFICATE", content) + chain, PUBLIC))
        if order.packing:
            password = order.packing.password or generate_password(random_bytes)
            packed = _pkcs12(order.packing, above, name, content, key, password)
            files.append((f"{stem}.p12", packed, SECRET))
        shown = "" if order.packing is None or order.packing.password else password
        lines.append((name, show_serial(serial_number), _show_time(not_after), shown))
    return Chunk(tape.encode(files, folder=folder, at=signed.at), tuple(lines))


@lru_cache(maxsize=16)
def _show_time(seconds: int) -> str:
    return f"{moment(seconds):%Y-%m-%dT%H:%M:%SZ}"


def opening(above: Issuer, folder: str, at: int) -> bytes:
    """Return what an archive begins with, the same for every certificate: the trust anchor."""
    return tape.encode([(TRUST_ANCHOR_FILE, encode_certificates(above.trust_anchor), PUBLIC)], folder=folder, at=at)


def _pkcs12(packing: Packing, above: Issuer, name: str, content: bytes, key: bytes, password: str) -> bytes:
    certificate = x509.load_der_x509_certificate(content)
    private_key = load_pem_private_key(key, None)
    credential = Credential(name, certificate, above.chain, above.trust_anchor, private_key)
    return encode(credential, password, strength=packing.strength, rounds=packing.rounds)
