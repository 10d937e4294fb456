"""How often a caller may ask, for all processes that share the store: a bucket of requests each, filled steadily.

Decides by the clock of the database alone. A bucket is one number, the time at which it is full again: what is taken
puts that off, and nothing may put it off by more than the bucket holds (the generic cell rate algorithm).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from counterseal.store.session import Session

SECOND = 1_000_000
MINUTE = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests flow in each minute, and half as many fit, one at least."""

    per_minute: int

    @property
    def size(self) -> int:
        """How many requests fit."""
        return max(1, self.per_minute // 2)

    @property
    def interval(self) -> int:
        """Microseconds until there is one more."""
        return MINUTE // self.per_minute


class Taken(NamedTuple):
    """How many requests were taken; where it is none, the seconds until there is one again."""

    requests: int
    wait: float = 0.0


def take_requests(session: Session, caller: str, rate: Rate, wanted: int) -> Taken:
    """Take so many of the caller's requests, or what is left of them."""
    if _take(session, caller, rate, wanted):
        return Taken(wanted)
    row = session.row(
        f"select full_at - {session.clock} * {SECOND} from allowance where caller = ?",  # noqa: S608 - constants
        (caller,),
    )
    room = rate.size * rate.interval - (row[0] if row else 0)
    left = min(wanted, room // rate.interval)
    if left > 0 and _take(session, caller, rate, left):
        return Taken(left)
    return Taken(0, max(rate.interval - room, 0) / SECOND)


def forget_allowances(session: Session, limit: int) -> int:
    """Drop at most ``limit`` buckets that are full, and return how many."""
    now = f"(select {session.clock})"  # asked once: an index is of no use for what may differ from row to row
    over = f"select caller from allowance where full_at < {now} * {SECOND} order by full_at limit ?"  # noqa: S608 - constants
    with session.statement():
        return session.run(f"delete from allowance where caller in ({over}{session.skip_locked})", (limit,))  # noqa: S608 - constants


def _take(session: Session, caller: str, rate: Rate, wanted: int) -> bool:
    now, cost = f"{session.clock} * {SECOND}", wanted * rate.interval
    full_at = f"case when allowance.full_at > {now} then allowance.full_at else {now} end"
    with session.statement():
        return bool(
            session.run(
                f"insert into allowance (caller, full_at) values (?, {now} + ?)"  # noqa: S608 - constants
                f" on conflict (caller) do update set full_at = {full_at} + ? where {full_at} <= {now} + ?",
                (caller, cost, cost, rate.size * rate.interval - cost),
            )
        )
