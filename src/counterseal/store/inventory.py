"""Looking certificates up: by serial number, by name, by any question the indexes answer.

Decides that nothing asked every day reads more than it answers; ``search`` says what each question costs.
"""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

from counterseal.errors import AmbiguousError, NotFoundError
from counterseal.pki.shown import show_serial
from counterseal.store.blocks import Blocks
from counterseal.store.records import CertificateRecord, Status
from counterseal.store.rows import (
    CERTIFICATE_COLUMNS,
    SERIAL_OCTETS,
    certificate_record,
    encode_serial,
    reserved_columns,
    show_serials,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.store.records import Page, Query

_BY_SERIAL = f"select {CERTIFICATE_COLUMNS} from certificate where serial_number = ?"  # noqa: S608 - constants only
_BY_NAME = f"select {CERTIFICATE_COLUMNS} from certificate where name = ? order by created_at desc"  # noqa: S608 - constants only
_KNOWN = (
    "select serial_number from certificate"
    " where issuer = ? and status = 'valid' and not_after >= ? and not_after is not null"
    " order by not_after, serial_number"
)


_STANDING = "select status, revoked_at, revocation_reason from certificate where serial_number = ? and issuer = ?"


class Inventory(Blocks):
    """The certificates, read."""

    def standing(self, serial_number: int, *, issuer: str) -> tuple[str, int | None, str | None] | None:
        """Return status, time and reason of revocation of that certificate; None when there is none, or no such number.

        One look-up, of which little is read: every OCSP answer begins with it.
        """
        if not 0 <= serial_number < 1 << 8 * SERIAL_OCTETS:
            return None
        row = self.row(_STANDING, (encode_serial(serial_number), issuer))
        return None if row is None else (row[0], row[1], row[2])

    def certificate(self, serial_number: int, *, issuer: str | None = None) -> CertificateRecord:
        """Return the certificate or reservation of that serial number.

        Raises NotFoundError (``store.no_certificate``), and AmbiguousError when an imported CA used the same number
        and no ``issuer`` is given.
        """
        rows = self.rows(_BY_SERIAL, (encode_serial(serial_number),))
        if not rows:
            rows = [reserved_columns(one) for one in self.reserved_in_blocks() if one.serial_number == serial_number]
        records = [certificate_record(row) for row in rows if issuer is None or row[1] == issuer]
        if not records:
            raise NotFoundError(
                "store.no_certificate", f"no certificate of that serial number: {show_serial(serial_number)}"
            )
        if len(records) > 1:
            raise AmbiguousError(
                "store.ambiguous_serial",
                f"several CAs issued a certificate of that serial number: {show_serial(serial_number)}",
                candidates=[f"{record.issuer}/{show_serial(serial_number)}  {record.name}" for record in records],
                hint="say which issuer is meant",
            )
        return records[0]

    def by_name(self, name: str, status: Status | None = None) -> tuple[CertificateRecord, ...]:
        """Return the certificates that the user calls exactly this, newest first; reservations only if asked for."""
        rows = self.rows(_BY_NAME, (name,))
        if status is Status.RESERVED:
            rows += [reserved_columns(one) for one in self.reserved_in_blocks() if one.name == name]
            return tuple(sorted(map(certificate_record, rows), key=attrgetter("created_at"), reverse=True))
        records = map(certificate_record, rows)
        if status is None:
            return tuple(record for record in records if record.status is not Status.RESERVED)
        return tuple(record for record in records if record.status is status)

    def search(self, query: Query) -> Page:
        """Return one page of the answer.

        By status, profile, issuer and expiry: one range of an index, the same cost at a thousand rows and a million.
        By the beginning of a name (``web``) or by domain (``*.example.com``, ``*@example.com``: domain names and mail
        addresses only): one range of the name index. Other patterns with a ``*`` (``*word*``) read the name index from
        one end until the page is full: about 0.3 s a million certificates when few match, none of which is read.
        Further conditions beside a name are looked up for each match, unless few meet one (``few``). Raises InputError
        for a foreign cursor.
        """
        from counterseal.store.search import read_page  # noqa: PLC0415 - 4 ms that only listings need

        return read_page(query, self.rows, self.reserved_in_blocks)

    def every(self, query: Query) -> Iterator[CertificateRecord]:
        """Yield the whole answer, which is read page by page."""
        page = self.search(query)
        yield from page.records
        while page.next is not None:
            page = self.search(replace(query, after=page.next))
            yield from page.records

    def known_serials(self, issuer: str, at: int) -> Iterator[str]:
        """Yield the serial numbers of the issuer's valid certificates that have not expired at ``at``, by expiry.

        As ``show_serials`` says.
        """
        return show_serials(self.column(_KNOWN, (issuer, at)))
