"""The keys that somebody else has: those of certificates that were revoked for it. None is certified again.

A key is known by the hash of its SubjectPublicKeyInfo, and kept for ever, with the first certificate that said so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.store.rows import decode_serial, encode_serial

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from counterseal.store.records import CertificateRecord
    from counterseal.store.rows import Row
    from counterseal.store.session import Connection, Session

REASONS = frozenset({"key_compromise", "ca_compromise"})

_ADD = "insert into compromised_key (key_hash, serial_number, issuer) values (?, ?, ?) on conflict do nothing"
_FIND = "select serial_number, issuer from compromised_key where key_hash = ?"
_REVOKED = (
    "select c.serial_number, c.issuer, c.der from revocation r cross join certificate c"
    " where c.serial_number = r.serial_number and c.issuer = r.issuer and c.der is not null"
    " and r.reason in ('key_compromise', 'ca_compromise') and (r.issuer, r.serial_number) > (?, ?)"
    " order by r.issuer, r.serial_number limit ?"
)
AT_ONCE = 4096
"""Certificates read at a time: a million fill no memory, and PostgreSQL leaves nobody who says nothing for long."""


def add_compromised_keys(session: Session, revoked: Iterable[CertificateRecord]) -> None:
    """Keep the keys of those that were revoked for it, in the transaction that revokes them."""
    rows = [
        (encode_serial(record.serial_number), record.issuer, record.certificate)
        for record in revoked
        if record.revocation_reason in REASONS and record.certificate is not None
    ]
    if rows:
        session.run_many(_ADD, _with_hashes(rows))


def find_compromised_key(session: Session, key_hash: bytes) -> tuple[int, str] | None:
    """Return serial number and issuer of the certificate whose revocation said so; None for any other key."""
    row = session.row(_FIND, (key_hash,))
    return None if row is None else (decode_serial(row[0]), row[1])


def add_those_of_before(connection: Connection) -> None:
    """Keep the keys of what was revoked before there was this table, in the transaction that makes it."""
    issuer, serial_number = "", b""
    while found := connection.execute(_REVOKED, (issuer, serial_number, AT_ONCE)).fetchall():
        connection.executemany(_ADD, _with_hashes(found))
        serial_number, issuer, _ = found[-1]


def _with_hashes(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows of the table for serial numbers, issuers and certificates; none for a key that nobody can read."""
    from counterseal.pki.keys import key_hash_in  # noqa: PLC0415 - for what few commands do

    for serial_number, issuer, content in rows:
        key_hash = key_hash_in(content)
        if key_hash is not None:
            yield key_hash, serial_number, issuer
