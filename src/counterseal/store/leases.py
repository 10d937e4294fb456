"""Leases with a fencing token: one holder at a time, and none that is late does harm.

Decides by the clock of the database alone, which all hosts share. A holder that was frozen and wakes up after its time
is stopped by ``require_lease``: in the transaction that writes, its token must still be the newest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from counterseal.errors import StoreError

if TYPE_CHECKING:
    from counterseal.store.session import Session


class Lease(NamedTuple):
    """A right that was had: whoever gets it next has a higher ``token``."""

    name: str
    token: int


def take_lease(session: Session, name: str, *, holder: str, seconds: int) -> Lease | None:
    """Take the lease for so many seconds, durable on return; None while somebody else has it."""
    clock = session.clock
    with session.statement():
        row = session.row(
            f"insert into lease (name, holder, token, expires_at) values (?, ?, 1, {clock} + ?)"  # noqa: S608 - constants
            " on conflict (name) do update set holder = excluded.holder, token = lease.token + 1,"
            f" expires_at = excluded.expires_at where lease.expires_at <= {clock} returning token",
            (name, holder, seconds),
        )
    return None if row is None else Lease(name, int(row[0]))


def held_leases(session: Session) -> tuple[str, ...]:
    """Return the names of the leases that somebody has now."""
    held = f"select name from lease where expires_at > {session.clock} order by name"  # noqa: S608 - a constant
    return tuple(name for (name,) in session.rows(held))


def was_leased(session: Session, name: str, *, seconds: int) -> bool:
    """Return whether somebody has the lease, or had it until so many seconds ago at most."""
    recent = f"select 1 from lease where name = ? and expires_at > {session.clock} - ?"  # noqa: S608 - a constant
    return session.row(recent, (name, seconds)) is not None


def require_lease(session: Session, lease: Lease) -> None:
    """Raise StoreError ``store.lease_lost`` where somebody took the lease after us; in the caller's transaction."""
    held = f"select 1 from lease where name = ? and token = ?{session.lock}"  # noqa: S608 - a constant
    if session.row(held, (lease.name, lease.token)) is None:
        raise StoreError("store.lease_lost", f"another process took this over meanwhile: {lease.name}")


def give_lease_back(session: Session, lease: Lease) -> None:
    """Let the next one have it at once."""
    with session.statement():
        session.run("update lease set expires_at = 0 where name = ? and token = ?", (lease.name, lease.token))
