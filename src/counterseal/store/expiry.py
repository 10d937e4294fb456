"""How many certificates expire when, counted in an index and never read one by one."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from counterseal.store.session import Session

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

# Each reads one range of certificate_by_profile, which holds issued certificates only.
_NEXT_PROFILE = (
    "select profile from certificate where profile > ? and not_after is not null order by profile limit 1"  # a step
)
_COUNT = (
    "select count(*) from certificate where profile = ? and status = 'valid'"
    " and not_after >= ? and not_after < ? and not_after is not null"
)
_COUNT_OF = (
    "select count(*) from certificate where profile = ? and status = 'valid'"
    " and not_after > ? and issuer = ? and not_after is not null"
)
_NO_END = 1 << 62


class Expiry(Session):
    """The certificates, counted."""

    def profiles(self) -> Iterator[str]:
        """Yield the profiles of which certificates were issued, each found by one look-up."""
        profile = ""
        while row := self.row(_NEXT_PROFILE, (profile,)):
            (profile,) = row
            yield profile

    def count_valid(self, profile: str, edges: Sequence[int]) -> tuple[int, ...]:
        """Return how many valid certificates of a profile expire from each edge on until the next; the last has no end.

        ``edges`` ascend, in seconds. It costs about 0.1 s a million certificates counted.
        """
        return tuple(self._count(profile, begin, end) for begin, end in pairwise((*edges, _NO_END)))

    def count_valid_of(self, issuer: str, *, at: int, without_profiles: Collection[str] = ()) -> int:
        """Return how many certificates of a CA are valid and have not expired ``at``, some profiles left out."""
        wanted = (profile for profile in self.profiles() if profile not in without_profiles)
        return sum(int(row[0]) for one in wanted if (row := self.row(_COUNT_OF, (one, at, issuer))))

    def _count(self, profile: str, begin: int, end: int) -> int:
        row = self.row(_COUNT, (profile, begin, end))
        return int(row[0]) if row else 0
