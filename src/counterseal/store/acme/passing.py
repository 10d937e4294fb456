"""What passes: used nonces, counts for limits, and what is taken away when its time is over, in small steps."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from counterseal.store.acme.records import AccountRecord
    from counterseal.store.session import Session

_USE_NONCE = "insert into acme_nonce (nonce, expires_at) values (?, ?) on conflict do nothing returning 1"
_USE_NONCE_OF = """
    insert into acme_nonce (nonce, expires_at) values (?, ?) on conflict do nothing returning
        (select count(*) from acme_account
         where id = ? and thumbprint = ? and status = ? and contact = ? and coalesce(terms, '') = ?)
"""


class NonceUse(Enum):
    """What became of a nonce that was to be used up."""

    FIRST = auto()
    AGAIN = auto()
    ACCOUNT_CHANGED = auto()
    """For the first time, but the account is not as it was read."""


def use_nonce(session: Session, nonce: str, expires_at: int, account: AccountRecord | None = None) -> NonceUse:
    """Mark the nonce as used, and look whether the account still is as this record has it; in one statement."""
    with session.statement():
        if account is None:
            row = session.row(_USE_NONCE, (nonce, expires_at))
        else:
            row = session.row(_USE_NONCE_OF, (nonce, expires_at, account.id, *_changeable(account)))
    if row is None:
        return NonceUse.AGAIN
    return NonceUse.FIRST if row[0] else NonceUse.ACCOUNT_CHANGED


def _changeable(account: AccountRecord) -> tuple[str, ...]:
    return account.thumbprint, account.status, account.contact, account.terms or ""


def count_use(session: Session, subject: str, action: str, window_start: int) -> int:
    """Count one more and return how often ``subject`` did it in this window."""
    with session.statement():
        row = session.row(
            "insert into acme_usage (subject, action, window_start, times) values (?, ?, ?, 1)"
            " on conflict (subject, action, window_start) do update set times = acme_usage.times + 1 returning times",
            (subject, action, window_start),
        )
    return int(row[0]) if row else 0


def uses(session: Session, subject: str, action: str, window_start: int) -> int:
    """Return how often ``subject`` did it in this window."""
    row = session.row(
        "select times from acme_usage where subject = ? and action = ? and window_start = ?",
        (subject, action, window_start),
    )
    return int(row[0]) if row else 0


def forget_nonces(session: Session, before: int, limit: int) -> int:
    """Drop at most ``limit`` used nonces that nobody accepts any more, and return how many."""
    return _forget(session, "nonce", "acme_nonce", before, limit)


def forget_orders(session: Session, before: int, limit: int) -> int:
    """Drop at most ``limit`` orders that expired before, and return how many."""
    return _forget(session, "id", "acme_order", before, limit)


def forget_authorizations(session: Session, before: int, limit: int) -> int:
    """Drop at most ``limit`` authorizations that expired before, and return how many."""
    return _forget(session, "id", "acme_authorization", before, limit)


def forget_usage(session: Session, before: int, limit: int) -> int:
    """Drop at most ``limit`` counts of windows that began before, and return how many."""
    key = "subject, action, window_start"
    chosen = f"select {key} from acme_usage where window_start < ? order by window_start limit ?{session.skip_locked}"  # noqa: S608 - constants only
    with session.statement():
        return session.run(f"delete from acme_usage where ({key}) in ({chosen})", (before, limit))  # noqa: S608 - same


def _forget(session: Session, key: str, table: str, before: int, limit: int) -> int:
    chosen = f"select {key} from {table} where expires_at < ? order by expires_at limit ?{session.skip_locked}"  # noqa: S608 - constants only
    with session.statement():
        return session.run(f"delete from {table} where {key} in ({chosen})", (before, limit))  # noqa: S608 - constants only
