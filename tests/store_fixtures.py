"""What the store's tests put in: a CA, certificates, key uses, with every field told from the others."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding

from chains import ca as ca_recipe
from counterseal.store import sqlite
from counterseal.store.records import CARecord, CertificateRecord, NewKeyUse, Reservation, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from counterseal.store.session import Connection
    from counterseal.store.store import Store
    from pki_fixtures import PrivateKey

NOW = 1_800_000_000
DAY = 86_400
SERIAL = 0x5A17_0000_0000_0000_0000_0000_0000_0001

CLIENTS = CARecord("clients", "client", None, b"ca certificate", "key-1", "active", NOW)
CERTIFICATE = CertificateRecord(
    serial_number=SERIAL,
    issuer="clients",
    name="client.device",
    subject="CN=client.device,OU=ops,O=Example",
    names=("DNS:client.device", "email:ann@example.com"),
    profile="client",
    group="ops",
    status=Status.VALID,
    not_before=NOW,
    not_after=NOW + 90 * DAY,
    certificate=b"certificate",
    created_at=NOW,
    created_by="root",
)


elsewhere: Callable[[Path, bool], Store] | None = None
"""What opens the store of a path in another database, while a test asks for that: see tests/unit/store/conftest.py."""


def open_store(path: Path, *, create: bool = False) -> Store:
    """Open the store of this path in the database that the test is run with."""
    return elsewhere(path, create) if elsewhere else sqlite.open_store(path, create=create)


def new_store(path: Path, *more: CARecord) -> Store:
    """Return a new store that has the CA ``clients`` and those given."""
    store = open_store(path / "store.db", create=True)
    for ca in (CLIENTS, *more):
        store.add_ca(ca)
    return store


def certificate(serial_number: int = SERIAL, **changes: Any) -> CertificateRecord:  # noqa: ANN401 - any field's value
    """Return the usual certificate with these changes."""
    return CERTIFICATE._replace(serial_number=serial_number, **changes)


def reservation(record: CertificateRecord) -> Reservation:
    """Return the reservation that comes before ``record``."""
    return Reservation(
        record.serial_number, record.issuer, record.name, record.profile, record.created_at, record.created_by
    )


def key_use(record: CertificateRecord) -> NewKeyUse:
    """Return the key use that signed ``record``."""
    digest = sha256(record.certificate or b"").digest()
    return NewKeyUse(record.created_at, record.created_by, "certificate", record.issuer, record.serial_number, digest)


def issue(store: Store, *records: CertificateRecord) -> None:
    """Reserve and record."""
    store.reserve_many([reservation(record) for record in records])
    store.record_many([(record, key_use(record)) for record in records])


def revoke_in_older_store(connection: Connection, keys: Sequence[PrivateKey]) -> None:
    """Write a certificate for each key: somebody else has the first and the third, the second was superseded."""
    connection.execute(
        "insert into ca (name, purpose, certificate, key_id, state, created_at, crl_number)"
        " values ('clients', 'client', ?, 'key-1', 'active', 1, 0)",
        (b"",),
    )
    reasons = "key_compromise", "superseded", "ca_compromise"
    for number, (key, reason) in enumerate(zip(keys, reasons, strict=True), 1):
        serial = number.to_bytes(20, "big")
        der = ca_recipe("a", key=key).make().certificate.public_bytes(Encoding.DER)
        connection.execute(
            "insert into certificate (serial_number, issuer, name, profile, created_at, created_by, status,"
            " subject, names, not_before, not_after, der, revoked_at, revocation_reason)"
            " values (?, 'clients', 'ann', 'client', 1, 'root', 'revoked', '', '', 1, 2, ?, 1, ?)",
            (serial, der, reason),
        )
        connection.execute(
            "insert into revocation (issuer, serial_number, not_after, revoked_at, reason, crl_entry)"
            " values ('clients', ?, 2, 1, ?, ?)",
            (serial, reason, b""),
        )
