"""Orders: from what was asked to the certificate that they became."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.store.acme.authorizations import CLAIM_SECONDS
from counterseal.store.acme.records import OrderRecord
from counterseal.store.rows import decode_serial, encode_serial

if TYPE_CHECKING:
    from counterseal.store.rows import Row
    from counterseal.store.session import Session

_COLUMNS = (
    "id, account, status, identifiers, authorizations, profile, created_at, expires_at, not_after, replaces, error,"
    " issuer, csr, serial_number"
)
_INSERT = f"insert into acme_order ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants only
BY_ID = f"select {_COLUMNS} from acme_order where id = ?"  # noqa: S608 - constants only
OF_ACCOUNT = (
    "select id, created_at from acme_order where account = ? and (created_at, id) > (?, ?)"
    " and status <> 'invalid' and (status = 'valid' or expires_at > ?)"
    " order by created_at, id limit ?"
)
REPLACING = f"select {_COLUMNS} from acme_order where replaces = ?"  # noqa: S608 - constants only
LEFT_BEHIND = """
    select 1 from acme_order where status = 'processing' and coalesce(claimed_until, 0) <= {clock}
    union all select 1 from acme_authorization
        where status = 'pending' and attempted is not null and coalesce(claimed_until, 0) <= {clock} limit 1
"""
BY_CERTIFICATE = f"select {_COLUMNS} from acme_order where serial_number = ? and issuer = ?"  # noqa: S608 - constants only


def add_order(session: Session, record: OrderRecord) -> None:
    """Add the order."""
    *columns, number = record
    values = (*columns, None if number is None else encode_serial(number))
    with session.statement():
        session.run(_INSERT, values)


def find_order(session: Session, identifier: str) -> OrderRecord | None:
    """Return the order of this id, or None."""
    row = session.row(BY_ID, (identifier,))
    return _record(row) if row else None


def find_order_of_certificate(session: Session, serial_number: int, issuer: str) -> OrderRecord | None:
    """Return the order that a certificate came from, or None."""
    row = session.row(BY_CERTIFICATE, (encode_serial(serial_number), issuer))
    return _record(row) if row else None


def orders_replacing(session: Session, certificate: str) -> tuple[OrderRecord, ...]:
    """Return the orders that say they replace this certificate (RFC 9773 4.1 identifier)."""
    return tuple(map(_record, session.rows(REPLACING, (certificate,))))


def order_ids(
    session: Session, account: str, *, at: int, after: tuple[int, str] = (0, ""), limit: int
) -> tuple[tuple[str, int], ...]:
    """Return ids and times of the account's orders after the one of that time and id, in the order they were made.

    Without those that are invalid (RFC 8555 7.1.2.1), or are since they ended before they were finalized.
    """
    return tuple(session.rows(OF_ACCOUNT, (account, *after, at, limit)))


def change_order(
    session: Session, identifier: str, *, was: str, status: str, error: str | None = None, csr: bytes | None = None
) -> bool:
    """Change the status if it still is ``was``, and say whether it was.

    What is ``processing`` is claimed, and needs its CSR, so that somebody else can finish it; nothing else keeps one.
    """
    with session.statement():
        return bool(
            session.run(
                f"update acme_order set status = ?, error = ?, claimed_until = {session.clock} + {CLAIM_SECONDS},"  # noqa: S608 - constants
                " csr = ? where id = ? and status = ?",
                (status, error, csr, identifier, was),
            )
        )


def complete_order(
    session: Session, identifier: str, *, was: str, issuer: str, serial_number: int, expires_at: int
) -> bool:
    """Turn the order into its certificate, whose end is its own, if its status still is ``was``; say whether it was."""
    with session.statement():
        return bool(
            session.run(
                "update acme_order set status = 'valid', issuer = ?, serial_number = ?, expires_at = ?, csr = null"
                " where id = ? and status = ?",
                (issuer, encode_serial(serial_number), expires_at, identifier, was),
            )
        )


def is_left_behind(session: Session) -> bool:
    """Whether there is an order or a challenge under way that nobody has any more."""
    return session.row(LEFT_BEHIND.format(clock=session.clock)) is not None


def claim_processing(session: Session, *, everything: bool, limit: int) -> tuple[str, ...]:
    """Claim the orders that a process which ended left in ``processing``, and return their ids.

    Those that somebody still has stay his, but with ``everything``: for who knows that nobody else is there.
    """
    free = "" if everything else f" and coalesce(claimed_until, 0) <= {session.clock}"
    with session.statement():
        rows = session.rows(
            f"update acme_order set claimed_until = {session.clock} + {CLAIM_SECONDS} where id in"  # noqa: S608 - constants
            f" (select id from acme_order where status = 'processing'{free} order by id limit ?{session.skip_locked})"
            " returning id",
            (limit,),
        )
    return tuple(identifier for (identifier,) in rows)


def _record(row: Row) -> OrderRecord:
    *values, serial = row
    values.append(None if serial is None else decode_serial(serial))
    return OrderRecord(*values)
