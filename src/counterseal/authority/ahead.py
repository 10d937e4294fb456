"""Serial numbers reserved ahead of use: durable already when a certificate needs one, so it waits for one flush less.

A number is added once its reservation is on disk, is used once, and belongs to nobody before. What a crash leaves stays
reserved for ever, like every number that may have been signed; what was never used can be given back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.moments import epoch
from counterseal.store.records import Reservation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from counterseal.authority.parts import Authority

BLOCK, LOW = 64, 16
"""How many are reserved in one go, and when there are too few left."""

NAME = "reserved ahead"
"""What such a number is called in the inventory until it belongs to a certificate."""


class Ahead:
    """The numbers of one process, by CA; for one thread."""

    def __init__(self) -> None:
        self._numbers: dict[str, list[int]] = {}

    def next(self, issuer: str) -> int | None:
        """Return the number that the next certificate of the CA can have; None when there is none."""
        numbers = self._numbers.get(issuer)
        return numbers[-1] if numbers else None

    def use(self, issuer: str, number: int) -> bool:
        """Take the next number and say whether it was this one: only then it is reserved."""
        if self.next(issuer) != number:
            return False
        self._numbers[issuer].pop()
        return True

    def is_short(self, issuer: str) -> bool:
        """Whether more should be reserved."""
        return len(self._numbers.get(issuer, ())) <= LOW

    def add(self, issuer: str, numbers: Iterable[int]) -> None:
        """Offer numbers whose reservation is durable."""
        self._numbers.setdefault(issuer, []).extend(numbers)

    def give_back(self, authority: Authority) -> None:
        """Free what was not used; nothing of it is offered any more."""
        unused = [(number, issuer) for issuer, numbers in self._numbers.items() for number in numbers]
        self._numbers.clear()
        authority.store.release(unused)


def reserve_ahead(authority: Authority, issuer: str) -> list[int]:
    """Reserve a block of numbers of the CA and return them, to be added when that is durable; raises StoreError."""
    numbers, at = [authority.serial_number() for _ in range(BLOCK)], epoch(authority.clock())
    authority.store.reserve_many([Reservation(one, issuer, NAME, "", at, authority.actor) for one in numbers])
    return numbers
