"""Serial numbers reserved ahead of use: durable already when a certificate needs one, so it waits for one flush less.

A number is added once its reservation is on disk, is used once, and belongs to nobody before. What a crash leaves stays
reserved for ever, like every number that may have been signed; what was never used can be given back.
"""

from __future__ import annotations

from collections import defaultdict, deque
from contextlib import suppress
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
    """The numbers of one process, by CA, as one connection takes them; ``beside`` is another one's way to them."""

    def __init__(self, first: Ahead | None = None) -> None:
        self._numbers: defaultdict[str, deque[int]] = first._numbers if first else defaultdict(deque)  # noqa: SLF001 - of its kind
        self._mine: dict[str, int] = {}
        self._ways: list[Ahead] = first._ways if first else []  # noqa: SLF001 - same
        self._ways.append(self)

    def beside(self) -> Ahead:
        """Return a way to the same numbers for another connection; no two ever see the same one."""
        return Ahead(self)

    def next(self, issuer: str) -> int | None:
        """Return the number that the next certificate of the CA can have; None when there is none."""
        if issuer not in self._mine:
            with suppress(IndexError):  # there may be none
                self._mine[issuer] = self._numbers[issuer].pop()
        return self._mine.get(issuer)

    def use(self, issuer: str, number: int) -> bool:
        """Take the next number and say whether it was this one: only then it is reserved."""
        if self._mine.get(issuer) != number:
            return False
        del self._mine[issuer]
        return True

    def is_short(self, issuer: str) -> bool:
        """Whether more should be reserved."""
        return len(self._numbers[issuer]) <= LOW

    def add(self, issuer: str, numbers: Iterable[int]) -> None:
        """Offer numbers whose reservation is durable."""
        self._numbers[issuer].extend(numbers)

    def drop_lost(self, authority: Authority) -> None:
        """Offer nothing any more whose reservation is gone: a failover may forget what was durable."""
        lost = {one for one in self._unused() if authority.store.standing(one[0], issuer=one[1]) is None}
        for number, issuer in lost:
            with suppress(ValueError):  # it was taken meanwhile
                self._numbers[issuer].remove(number)
            for way in self._ways:
                way.use(issuer, number)

    def give_back(self, authority: Authority) -> None:
        """Free what was not used on any way; nothing of it is offered any more."""
        unused = self._unused()
        self._numbers.clear()
        for way in self._ways:
            way._mine.clear()  # noqa: SLF001 - same
        authority.store.release(unused)

    def _unused(self) -> list[tuple[int, str]]:
        unused = [(number, issuer) for way in self._ways for issuer, number in way._mine.items()]  # noqa: SLF001 - of its kind
        return unused + [(number, issuer) for issuer, numbers in self._numbers.items() for number in numbers]


def reserve_ahead(authority: Authority, issuer: str) -> list[int]:
    """Reserve a block of numbers of the CA and return them, to be added when that is durable; raises StoreError."""
    numbers, at = [authority.serial_number() for _ in range(BLOCK)], epoch(authority.clock())
    authority.store.reserve_many([Reservation(one, issuer, NAME, "", at, authority.actor) for one in numbers])
    return numbers
