"""What the store's tests put in: a CA, certificates, key uses, with every field told from the others."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from counterseal.store import sqlite
from counterseal.store.records import CARecord, CertificateRecord, NewKeyUse, Reservation, Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from counterseal.store.store import Store

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
