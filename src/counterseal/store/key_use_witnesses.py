"""What the other tables know of the log of key uses, and how it and they contradict each other.

Every entry is remembered, number and hash, by the certificate that it is of. Those of no certificate are counted by
their CA, which remembers number and hash of the newest. A hash covers all entries before it.

A certificate without the hash of its entry was recorded by a program of before there was one, which went on while the
store was upgraded: its entry has to be of this serial number, and of what was signed in it. To take a hash away helps
nobody more than to write the hash of a log that was rewritten, which is found by a noted head alone.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.findings import Finding, Severity
from counterseal.pki import der_reader
from counterseal.pki.shown import show_serial
from counterseal.store.rows import decode_serial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.store.records import LogHead
    from counterseal.store.rows import Row
    from counterseal.store.session import Session

_CERTIFICATES = """
    select c.serial_number, c.issuer, c.key_use from certificate c left join key_use k on k.sequence = c.key_use
    where c.key_use is not null and (k.sequence is null or k.hash <> c.key_use_hash
        or k.serial_number is null or k.serial_number <> c.serial_number or k.ca <> c.issuer)
"""
_WITHOUT_HASH = """
    select c.serial_number, c.issuer, c.key_use, c.der, k.digest from certificate c join key_use k
        on k.sequence = c.key_use and k.serial_number = c.serial_number and k.ca = c.issuer
    where c.key_use_hash is null
"""
_CAS = """
    select a.name, a.key_use from ca a left join key_use k on k.sequence = a.key_use
    where a.key_use is not null and (k.sequence is null or a.key_use_hash is null or k.hash <> a.key_use_hash
        or k.ca <> a.name)
    order by a.key_use
"""
_UNKNOWN = """
    select k.sequence, k.action from key_use k
    where (k.action = 'certificate' and not exists (select 1 from certificate c
        where c.serial_number = k.serial_number and c.issuer = k.ca and c.key_use = k.sequence))
    or not exists (select 1 from ca a where a.name = k.ca)
    order by k.sequence
"""
_MISCOUNTED = """
    select a.name, a.key_uses, coalesce(l.entries, 0) from ca a
    left join (select k.ca, count(*) as entries from key_use k where k.action <> 'certificate' group by k.ca) l
        on l.ca = a.name
    where a.key_uses <> coalesce(l.entries, 0)
    order by a.name
"""
_COUNTED = "select sequence from key_use_tallied where sequence > ?"
_HINT = "it was changed past Counterseal: compare with a backup (counterseal restore) to see what is missing"


def contradictions(session: Session, head: LogHead) -> Iterator[Finding]:
    """Yield where the log, which ends at ``head``, is not what the other tables remember of it."""
    for serial, issuer, sequence in _unlogged(session):
        what = f"certificate's log entry is missing or another one: {show_serial(decode_serial(serial))}"
        yield _fault("log.unlogged", what, f"certificate of {issuer}, key-use log entry {sequence}")
    for name, sequence in session.each(_CAS):
        what = f"the last entry that CA {name} knows is missing or another one: {sequence}"
        yield _fault("log.unlogged", what, f"CA {name}, key-use log entry {sequence}")
    for sequence, action in session.each(_UNKNOWN):
        what = f"nothing in the store is what the log says was signed ({action}): {sequence}"
        yield _fault("log.unknown", what, f"key-use log entry {sequence}")
    for name, known, entries in session.each(_MISCOUNTED):
        what = f"CA {name} knows of {known} entries that are of no certificate, the log has {entries}"
        yield _fault("log.unlogged" if known > entries else "log.unknown", what, f"CA {name}")
    for (counted,) in session.each(_COUNTED, (head.sequence,)):
        what = f"the log ends at entry {head.sequence}, and was counted up to {counted}"
        yield _fault("log.end", what, f"key-use log entry {counted}")


def _unlogged(session: Session) -> Iterator[Row]:
    yield from session.each(_CERTIFICATES)
    for serial, issuer, sequence, der, digest in session.each(_WITHOUT_HASH):
        if sha256(_signed(der or b"")).digest() != digest:
            yield serial, issuer, sequence


def _signed(certificate: bytes) -> bytes:
    """Return the octets that the signature is of, all of them where that is no certificate."""
    try:
        return der_reader.read(certificate).children()[0].whole
    except (InputError, IndexError):
        return certificate


def _fault(code: str, message: str, where: str) -> Finding:
    return Finding(code, Severity.CRITICAL, message, where=where, hint=_HINT)
