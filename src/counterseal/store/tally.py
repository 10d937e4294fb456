"""Counts for monitoring that outlive a restart and are the same for every replica: key uses, revocations.

The log of key uses is append-only, so it is counted forward from where the last count stopped: what a count costs
follows what was signed since, and not what was signed ever.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterseal.store.session import Session

LOCAL = "local"
"""The face of what was signed by no face: by a command on this machine, or by the service's own work."""

FACES = ("acme", "api", "est", "token", LOCAL)

CERTIFICATE = "certificate"
"""The purpose of a key use that signed a certificate."""

CRL = "crl"
"""That of one that signed a list."""

SINCE = (
    "select k.sequence, k.ca, k.action, k.actor, c.profile from key_use k left join certificate c"
    " on c.serial_number = k.serial_number and c.issuer = k.ca where k.sequence > ? order by k.sequence limit ?"
)
_ADD = (
    "insert into key_use_tally (ca, purpose, profile, face, times) values (?, ?, ?, ?, ?)"
    " on conflict (ca, purpose, profile, face) do update set times = key_use_tally.times + excluded.times"
)


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a CA's key was used for a purpose: ``certificate`` (the only one with a profile), ``crl``, ``ca``."""

    ca: str
    purpose: str
    profile: str
    face: str
    times: int


@dataclass(frozen=True, slots=True)
class Uncounted:
    """What the log has beyond ``after``, up to ``until``, counted but not yet added."""

    after: int
    until: int
    tallies: tuple[Tally, ...]


def count_key_uses(session: Session, *, limit: int) -> Uncounted | None:
    """Return the next entries of the log that are not counted, ``limit`` at most; None when all are."""
    row = session.row("select sequence from key_use_tallied")
    after = int(row[0]) if row else 0
    rows = session.rows(SINCE, (after, limit))
    if not rows:
        return None
    counted = Counter((ca, action.split()[0], profile or "", _face(actor)) for _, ca, action, actor, profile in rows)
    return Uncounted(after, int(rows[-1][0]), tuple(Tally(*key, times) for key, times in counted.items()))


def add_tallies(session: Session, uncounted: Uncounted) -> bool:
    """Add what was counted, unless somebody else has done so meanwhile; say whether it was added."""
    with session.transaction():
        moved = session.run(
            "update key_use_tallied set sequence = ? where sequence = ?", (uncounted.until, uncounted.after)
        )
        if moved:
            rows = [(one.ca, one.purpose, one.profile, one.face, one.times) for one in uncounted.tallies]
            session.run_many(_ADD, rows)
    return bool(moved)


def key_use_tallies(session: Session) -> tuple[Tally, ...]:
    """Return the counts so far: a row for each CA, purpose, profile and face."""
    columns = "ca, purpose, profile, face"
    rows = session.rows(f"select {columns}, times from key_use_tally order by {columns}")  # noqa: S608 - constants only
    return tuple(Tally(*row) for row in rows)


def revoked_by_reason(session: Session) -> tuple[tuple[str, str, int], ...]:
    """Return issuer, reason and how many are revoked or on hold; it reads every one, so once a minute at most."""
    return tuple(session.rows("select issuer, reason, count(*) from revocation group by issuer, reason"))


def _face(actor: str) -> str:
    face, colon, _ = actor.partition(":")
    return face if colon or actor == "acme" else LOCAL
