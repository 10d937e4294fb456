"""Authorizations and their one attempted challenge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.store.acme.records import AuthorizationRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.store.rows import Row
    from counterseal.store.session import Session

_COLUMNS = "id, account, kind, value, wildcard, status, token, created_at, expires_at, attempted, validated_at, error"
_INSERT = f"insert into acme_authorization ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants only
BY_ID = f"select {_COLUMNS} from acme_authorization where id = ?"  # noqa: S608 - constants only
REUSABLE = (
    f"select {_COLUMNS} from acme_authorization"  # noqa: S608 - constants only
    " where account = ? and kind = ? and value = ? and wildcard = ? and expires_at > ?"
    " and status in ('pending', 'valid') order by expires_at desc limit 8"
)
CLAIM_SECONDS = 30
"""So long nobody else takes up what a process works on; what takes longer is done twice, and only one result counts."""

ATTEMPTED = "select id from acme_authorization where status = 'pending' and attempted is not null"


def add_authorizations(session: Session, records: Sequence[AuthorizationRecord]) -> None:
    """Add them, all or none, as a part of the transaction around it if there is one."""
    with session.statement():
        session.run_many(_INSERT, map(_columns, records))


def find_authorization(session: Session, identifier: str) -> AuthorizationRecord | None:
    """Return the authorization of this id, or None."""
    row = session.row(BY_ID, (identifier,))
    return _record(row) if row else None


def reusable_authorizations(
    session: Session, account: str, kind: str, value: str, *, wildcard: bool, at: int
) -> tuple[AuthorizationRecord, ...]:
    """Return the account's pending and valid ones for this identifier that last beyond ``at``, longest first."""
    rows = session.rows(REUSABLE, (account, kind, value, int(wildcard), at))
    return tuple(map(_record, rows))


def claim_attempted(session: Session, *, everything: bool, limit: int) -> tuple[str, ...]:
    """Claim those whose challenge was attempted, that have no result and that nobody has any more; return their ids.

    With ``everything`` also what somebody claimed: for who knows that nobody else is there.
    """
    free = "" if everything else f" and coalesce(claimed_until, 0) <= {session.clock}"
    with session.statement():
        rows = session.rows(
            f"update acme_authorization set claimed_until = {session.clock} + {CLAIM_SECONDS}"  # noqa: S608 - constants
            f" where id in ({ATTEMPTED}{free} order by id limit ?{session.skip_locked}) returning id",
            (limit,),
        )
    return tuple(identifier for (identifier,) in rows)


def attempt(session: Session, identifier: str, challenge: str) -> bool:
    """Note which challenge is attempted, claim it, and say whether it is the first attempt."""
    with session.statement():
        return bool(
            session.run(
                f"update acme_authorization set attempted = ?, claimed_until = {session.clock} + {CLAIM_SECONDS}"  # noqa: S608 - constants
                " where id = ? and status = 'pending' and attempted is null",
                (challenge, identifier),
            )
        )


def write_attempt(session: Session, identifier: str) -> None:
    """Write a pending attempt as it is, claimed no longer: a commit that wrote nothing would not wait for the disk."""
    with session.statement():
        session.run(
            "update acme_authorization set claimed_until = claimed_until where id = ? and status = 'pending'",
            (identifier,),
        )


def finish(session: Session, record: AuthorizationRecord) -> bool:
    """Give a pending authorization the result of its attempt, as the record has it, and say whether it was pending."""
    result = (record.status, record.attempted, record.validated_at, record.expires_at, record.error)
    with session.statement():
        return bool(
            session.run(
                "update acme_authorization set status = ?, attempted = ?, validated_at = ?, expires_at = ?, error = ?"
                " where id = ? and status = 'pending'",
                (*result, record.id),
            )
        )


def set_authorization_status(session: Session, identifier: str, status: str) -> None:
    """Change the status, whatever it was."""
    with session.statement():
        session.run("update acme_authorization set status = ? where id = ?", (status, identifier))


def _columns(record: AuthorizationRecord) -> Row:
    identifier, account, kind, value, wildcard, *rest = record
    return (identifier, account, kind, value, int(wildcard), *rest)


def _record(row: Row) -> AuthorizationRecord:
    identifier, account, kind, value, wildcard, *rest = row
    return AuthorizationRecord(identifier, account, kind, value, bool(wildcard), *rest)
