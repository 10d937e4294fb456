"""From a reserved serial number to a recorded certificate.

Decides the order that no crash can undo: the number is durable before anything is signed, and certificate and log entry
become durable together before the certificate leaves. A crash between the two leaves a reservation and nothing else,
and that stays for ever: a number that may have been signed once is never given to another certificate.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from counterseal.errors import StoreError
from counterseal.pki.shown import show_serial
from counterseal.store.authorities import Authorities
from counterseal.store.blocks import TAKE_AWAY, Blocks, block_of
from counterseal.store.changes import Changes
from counterseal.store.compromised_keys import add_compromised_keys
from counterseal.store.records import CertificateRecord, KeyUse, NewKeyUse, Reservation, Status
from counterseal.store.rows import (
    BACKWARD,
    CERTIFICATE_COLUMNS,
    FORWARD,
    Row,
    certificate_columns,
    decode_serial,
    encode_names,
    encode_serial,
    search_values,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_RESERVE = (
    "insert into certificate (serial_number, issuer, name, profile, created_at, created_by, status)"
    " values (?, ?, ?, ?, ?, ?, 'reserved') on conflict do nothing"
)
_RELEASE = "delete from certificate where serial_number = ? and issuer = ? and status = 'reserved'"
_RECORD = """
    update certificate set name = ?, subject = ?, names = ?, profile = ?, group_name = ?, status = 'valid',
        not_before = ?, not_after = ?, der = ?, created_at = ?, created_by = ?, key_use = ?, key_use_hash = ?
    where serial_number = ? and issuer = ? and status = 'reserved'
"""
_ADOPT = (
    f"insert into certificate ({CERTIFICATE_COLUMNS})"  # noqa: S608 - constants only
    " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing"
)
_RECORD_NEW = (
    f"insert into certificate ({CERTIFICATE_COLUMNS}, key_use, key_use_hash)"  # noqa: S608 - constants only
    " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing"
)
_NAME = (
    "insert into certificate_name (direction, value, serial_number, issuer) values (?, ?, ?, ?) on conflict do nothing"
)
_REVOCATION = (
    "insert into revocation (issuer, serial_number, not_after, revoked_at, reason, crl_entry, change_number)"
    " values (?, ?, ?, ?, ?, ?, ?)"
)
_RESERVED = (
    "select serial_number, issuer, name, profile, created_at, created_by from certificate"
    " where status = 'reserved' and created_at < ? order by created_at, serial_number, issuer"
)


class Issuance(Authorities, Blocks, Changes):
    """Reserving, recording, adopting."""

    _later: list[tuple[CertificateRecord, NewKeyUse]] | None = None

    @contextmanager
    def recorded_together(self) -> Iterator[None]:
        """Record what is recorded inside at the end of the block, which is in a transaction, all in one go.

        Raises what ``record_many`` does, then: nobody may be told of a certificate before.
        """
        self._later = []
        try:
            yield
            later, self._later = self._later, None
            if later:
                self._record_all(later)
        finally:
            self._later = None

    @contextmanager
    def unrecorded(self) -> Iterator[None]:
        """Forget what was to be recorded later inside when the block fails."""
        known = len(self._later or ())
        try:
            yield
        except BaseException:
            if self._later is not None:
                del self._later[known:]
            raise

    def reserve(self, serial_number: int, *, issuer: str, name: str, profile: str, at: int, actor: str) -> None:
        """Take a serial number, durable on return and before anything is signed.

        Raises StoreError (``store.serial_taken``) when the issuer has used it, NotFoundError for an unknown issuer.
        """
        self.reserve_many([Reservation(serial_number, issuer, name, profile, at, actor)])

    def reserve_many(self, reservations: Sequence[Reservation]) -> None:
        """Take many serial numbers in one transaction: all of them or, when one is taken, none."""
        with self.transaction():
            for issuer in {one.issuer for one in reservations}:
                self.ca(issuer)
            self._require_outside_blocks(reservations)
            if self.run_many(_RESERVE, map(_reservation_columns, reservations)) != len(reservations):
                raise self._taken(reservations)

    def reserve_block(self, reservations: Sequence[Reservation]) -> None:
        """Take many serial numbers in one row, for certificates that ``record_block`` records all at once.

        Issuer, profile, time and actor are those of the first. Raises as ``reserve`` does; then none is taken.
        """
        issuer = reservations[0].issuer
        numbers = {encode_serial(one.serial_number) for one in reservations}
        asked = f"select 1 from certificate where issuer = ? and serial_number in ({', '.join('?' * len(numbers))})"  # noqa: S608 - only places for values
        with self.transaction():
            self.ca(issuer)
            self._require_outside_blocks(reservations)
            if len(numbers) < len(reservations) or self.row(f"{asked} limit 1", (issuer, *numbers)):
                raise self._taken(reservations)
            self._add_block(reservations)

    def release(self, numbers: Iterable[tuple[int, str]]) -> None:
        """Give back reserved numbers, each with its issuer, for which nothing was signed for certain."""
        with self.transaction():
            self.run_many(_RELEASE, [(encode_serial(number), issuer) for number, issuer in numbers])

    def record(self, record: CertificateRecord, key_use: NewKeyUse) -> None:
        """Turn a reserved number into a valid certificate and log the signature, durable together on return.

        Only after this may the certificate leave. Raises StoreError (``store.not_reserved``).
        """
        if self._later is None:
            self.record_many([(record, key_use)])
        else:
            self._later.append((record, key_use))

    def record_many(self, issued: Sequence[tuple[CertificateRecord, NewKeyUse]]) -> None:
        """Do what ``record`` does for many in one transaction: all of them or none."""
        with self.transaction():
            self._record_all(issued)

    def record_block(self, issued: Sequence[tuple[CertificateRecord, NewKeyUse]]) -> None:
        """Do what ``record_many`` does for the numbers of one block, all of them and in its order."""
        records = [record for record, _ in issued]
        with self.transaction():
            uses, appending = self._chain_key_uses((use for _, use in issued), [_names_of(records)])
            pairs = zip(records, uses, strict=True)
            rows = ((*certificate_columns(record), use.sequence, use.hash) for record, use in pairs)
            *_, recorded, blocks = self.run_together(
                [*appending, (_RECORD_NEW, rows), (TAKE_AWAY, [block_of(records)])]
            )
            if recorded != len(records) or not blocks:
                raise self._not_reserved(records)

    def adopt(self, certificates: Sequence[tuple[CertificateRecord, bytes | None]]) -> None:
        """Take over what another CA program issued, in one transaction, each with its CRL entry when it is revoked.

        Raises StoreError (``store.serial_taken``) when a number is there already; then none is added.
        """
        records = [record for record, _ in certificates]
        with self.transaction():
            for issuer in {record.issuer for record in records}:
                self.ca(issuer)
            self._require_outside_blocks(records)
            if self.run_many(_ADOPT, map(certificate_columns, records)) != len(records):
                raise self._taken(records)
            self.run_together([_names_of(records)])
            changes = {issuer: self.next_change(issuer) for issuer in {record.issuer for record in records}}
            self.run_many(_REVOCATION, _revocation_rows(certificates, changes))
            add_compromised_keys(self, records)

    def reserved_before(self, at: int) -> tuple[Reservation, ...]:
        """Return the reservations made before ``at`` that never became a certificate: a crash, or work under way."""
        found = [Reservation(decode_serial(serial), *rest) for serial, *rest in self.rows(_RESERVED, (at,))]
        found += [one for one in self.reserved_in_blocks() if one.created_at < at]
        return tuple(sorted(found, key=lambda one: (one.created_at, one.serial_number, one.issuer)))

    def _record_all(self, issued: Sequence[tuple[CertificateRecord, NewKeyUse]]) -> None:
        """Record them in the caller's transaction, which is undone where it fails."""
        records = [record for record, _ in issued]
        uses, appending = self._chain_key_uses((use for _, use in issued), [_names_of(records)])
        rows = (_recorded_columns(record, use) for record, use in zip(records, uses, strict=True))
        *_, recorded = self.run_together([*appending, (_RECORD, rows)])
        if recorded != len(records):
            raise self._not_reserved(records)

    def _require_outside_blocks(self, wanted: Sequence[Reservation | CertificateRecord]) -> None:
        if self._in_blocks({(encode_serial(one.serial_number), one.issuer) for one in wanted}):
            raise self._taken(wanted)

    def _taken(self, records: Sequence[Reservation | CertificateRecord]) -> StoreError:
        """Say which number it was; called when an insert left one out, whose transaction is rolled back then."""
        self._roll_back()
        wanted = [(one.serial_number, one.issuer) for one in records]
        seen: set[tuple[int, str]] = set()
        for one in wanted:
            if one in seen or self._status(*one) is not None:
                return _serial_taken(*one)
            seen.add(one)
        return _serial_taken(*wanted[0])

    def _not_reserved(self, records: Iterable[CertificateRecord]) -> StoreError:
        self._roll_back()
        for record in records:
            status = self._status(record.serial_number, record.issuer)
            if status != Status.RESERVED:
                return _not_reserved(record, status)
        return StoreError("store.not_reserved", "a serial number was recorded twice at once")

    def _status(self, serial_number: int, issuer: str) -> str | None:
        row = self.row(
            "select status from certificate where serial_number = ? and issuer = ?",
            (encode_serial(serial_number), issuer),
        )
        if row is None and self._in_blocks({(encode_serial(serial_number), issuer)}):
            return Status.RESERVED
        return None if row is None else str(row[0])


def _serial_taken(serial_number: int, issuer: str) -> StoreError:
    return StoreError(
        "store.serial_taken",
        f"serial number is taken: {show_serial(serial_number)} of {issuer}",
        hint="draw another one: with 128 random bits this means that the randomness is broken",
    )


def _not_reserved(record: CertificateRecord, status: str | None) -> StoreError:
    shown = show_serial(record.serial_number)
    return StoreError(
        "store.not_reserved",
        f"serial number is not reserved but {status or 'unknown'}: {shown} of {record.issuer}",
        hint="the certificate must not leave; issue it again",
    )


def _reservation_columns(one: Reservation) -> Row:
    return (encode_serial(one.serial_number), one.issuer, one.name, one.profile, one.created_at, one.created_by)


def _recorded_columns(record: CertificateRecord, use: KeyUse) -> Row:
    serial, issuer, name, subject, names, profile, group, _, not_before, not_after, der, at, by, _, _ = record
    return (
        *(name, subject, encode_names(names), profile, group, not_before, not_after, der, at, by),
        *(use.sequence, use.hash, encode_serial(serial), issuer),
    )


def _names_of(records: Iterable[CertificateRecord]) -> tuple[str, list[Row]]:
    """Return the work that adds their names, in the order of the index: pages are visited once."""
    return _NAME, sorted(_name_rows(records))


def _name_rows(records: Iterable[CertificateRecord]) -> Iterator[Row]:
    for record in records:
        serial = encode_serial(record.serial_number)
        forward, backward = search_values(record)
        for value in forward:
            yield FORWARD, value, serial, record.issuer
        for value in backward:
            yield BACKWARD, value, serial, record.issuer


def _revocation_rows(
    certificates: Iterable[tuple[CertificateRecord, bytes | None]], changes: Mapping[str, int]
) -> Iterator[Row]:
    for record, entry in certificates:
        if record.status in {Status.REVOKED, Status.HELD}:
            serial = encode_serial(record.serial_number)
            end, at, reason = record.not_after, record.revoked_at, record.revocation_reason
            yield record.issuer, serial, end, at, reason, entry, changes[record.issuer]
