"""Serial numbers that were reserved together, for a chunk of a batch: one row until all its certificates are recorded.

Decides that such a number is worth what any reserved one is: on disk before anything is signed, never given to another
certificate, and shown as reserved, with the name it is for, until it is one's. A row for each would be written into
three indexes, only to be taken out of one and rewritten at once. There are few blocks, those of the batches that run
now or were killed: they are read whole.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from counterseal.store.records import Reservation
from counterseal.store.rows import SERIAL_OCTETS, decode_names, decode_serial, encode_names, encode_serial
from counterseal.store.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counterseal.store.records import CertificateRecord
    from counterseal.store.rows import Row

_ADD = (
    "insert into reserved_block (first_number, issuer, numbers, names, profile, created_at, created_by)"
    " values (?, ?, ?, ?, ?, ?, ?)"
)
_ALL = "select issuer, numbers, names, profile, created_at, created_by from reserved_block"
_NUMBERS = "select issuer, numbers from reserved_block"
TAKE_AWAY = "delete from reserved_block where first_number = ? and issuer = ? and numbers = ?"

_one_by_one = Struct(f"{SERIAL_OCTETS}s").iter_unpack


class Blocks(Session):
    """The numbers that were reserved together and have no certificate yet."""

    def reserved_in_blocks(self) -> Iterator[Reservation]:
        """Yield each number of each block as the reservation that it is, in no order."""
        for issuer, numbers, names, profile, at, actor in self.rows(_ALL):
            for (octets,), name in zip(_one_by_one(numbers), decode_names(names), strict=True):
                yield Reservation(decode_serial(octets), issuer, name, profile, at, actor)

    def _add_block(self, reservations: Sequence[Reservation]) -> None:
        first = reservations[0]
        numbers = [encode_serial(one.serial_number) for one in reservations]
        names = encode_names(tuple(one.name for one in reservations))
        common = (first.profile, first.created_at, first.created_by)
        self.run(_ADD, (numbers[0], first.issuer, b"".join(numbers), names, *common))

    def _in_blocks(self, wanted: set[tuple[bytes, str]]) -> set[tuple[bytes, str]]:
        """Return which of these, an encoded number and its issuer each, are reserved in a block."""
        found = [
            {(octets, issuer) for (octets,) in _one_by_one(numbers)} & wanted for issuer, numbers in self.rows(_NUMBERS)
        ]
        return set().union(*found)


def block_of(records: Sequence[CertificateRecord]) -> Row:
    """Return what ``TAKE_AWAY`` takes: the block of just these numbers, in this order."""
    numbers = [encode_serial(record.serial_number) for record in records]
    return numbers[0], records[0].issuer, b"".join(numbers)
