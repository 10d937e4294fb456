"""Accounts and the keys for external account binding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.errors import NotFoundError, StoreError
from counterseal.store.acme.records import AccountRecord, ExternalKeyRecord

if TYPE_CHECKING:
    from counterseal.store.rows import Row
    from counterseal.store.session import Session

_ACCOUNT = "id, thumbprint, jwk, status, contact, terms_agreed, external_key, created_at, terms, external_binding"
_EXTERNAL = "id, name, created_at, created_by, expires_at, reusable, used_at, revoked_at"
BY_ID = f"select {_ACCOUNT} from acme_account where id = ?"  # noqa: S608 - constants only
BY_THUMBPRINT = f"select {_ACCOUNT} from acme_account where thumbprint = ?"  # noqa: S608 - constants only


def add_account(session: Session, record: AccountRecord) -> bool:
    """Add the account and say whether it was added: False when its key has an account already."""
    values = (
        record.id,
        record.thumbprint,
        record.jwk,
        record.status,
        record.contact,
        int(record.terms_agreed),
        record.external_key,
        record.created_at,
        record.terms,
        record.external_binding,
    )
    with session.statement():
        return bool(
            session.run(
                f"insert into acme_account ({_ACCOUNT}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",  # noqa: S608 - constants only
                values,
            )
        )


def find_account(session: Session, identifier: str) -> AccountRecord | None:
    """Return the account of this id, or None."""
    row = session.row(BY_ID, (identifier,))
    return None if row is None else _account(row)


def find_account_by_key(session: Session, thumbprint: str) -> AccountRecord | None:
    """Return the account whose key has this thumbprint, or None."""
    row = session.row(BY_THUMBPRINT, (thumbprint,))
    return None if row is None else _account(row)


def set_contact(session: Session, identifier: str, contact: str) -> None:
    """Replace the contacts of an account."""
    with session.statement():
        session.run("update acme_account set contact = ? where id = ?", (contact, identifier))


def agree(session: Session, identifier: str, terms: str) -> None:
    """Note the terms of service that an account agreed to."""
    with session.statement():
        session.run("update acme_account set terms = ?, terms_agreed = 1 where id = ?", (terms, identifier))


def set_account_status(session: Session, identifier: str, status: str) -> bool:
    """Change the status of a valid account and say whether it was valid."""
    with session.statement():
        return bool(
            session.run("update acme_account set status = ? where id = ? and status = 'valid'", (status, identifier))
        )


def set_account_key(session: Session, identifier: str, *, was: str, thumbprint: str, jwk: str) -> bool:
    """Give the account another key if ``was`` still is its key's thumbprint, and say whether it was.

    Ask ``find_account_by_key`` first, in the same transaction.
    """
    change = "update acme_account set thumbprint = ?, jwk = ? where id = ? and thumbprint = ?"
    with session.statement():
        return bool(session.run(change, (thumbprint, jwk, identifier, was)))


def accounts(session: Session) -> tuple[AccountRecord, ...]:
    """Return the first thousand accounts in the order of their ids, for people to look at."""
    return tuple(map(_account, session.rows(f"select {_ACCOUNT} from acme_account order by id limit 1000")))  # noqa: S608 - constants only


def add_external_key(session: Session, record: ExternalKeyRecord) -> None:
    """Add a key for external account binding."""
    values = (
        record.id,
        record.name,
        record.created_at,
        record.created_by,
        record.expires_at,
        int(record.reusable),
        record.used_at,
        record.revoked_at,
    )
    with session.statement():
        session.run(f"insert into acme_external_key ({_EXTERNAL}) values (?, ?, ?, ?, ?, ?, ?, ?)", values)  # noqa: S608 - constants only


def find_external_key(session: Session, identifier: str) -> ExternalKeyRecord | None:
    """Return the key of this id, or None."""
    row = session.row(f"select {_EXTERNAL} from acme_external_key where id = ?", (identifier,))  # noqa: S608 - constants only
    return None if row is None else _external(row)


def external_keys(session: Session) -> tuple[ExternalKeyRecord, ...]:
    """Return all of them, oldest first."""
    return tuple(map(_external, session.rows(f"select {_EXTERNAL} from acme_external_key order by created_at, id")))  # noqa: S608 - constants only


def use_external_key(session: Session, identifier: str, at: int) -> bool:
    """Mark the key as used and say whether it could be: one that is not reusable only once, a revoked one never."""
    with session.statement():
        return bool(
            session.run(
                "update acme_external_key set used_at = ?"
                " where id = ? and revoked_at is null and (reusable = 1 or used_at is null)",
                (at, identifier),
            )
        )


def revoke_external_key(session: Session, identifier: str, at: int) -> ExternalKeyRecord:
    """Let the key be used by no new account; raises NotFoundError, StoreError when it is revoked already."""
    with session.transaction():
        found = _revocable_external_key(session, identifier)
        session.run("update acme_external_key set revoked_at = ? where id = ?", (at, identifier))
        return found


def _revocable_external_key(session: Session, identifier: str) -> ExternalKeyRecord:
    found = find_external_key(session, identifier)
    if found is None:
        raise NotFoundError(
            "acme.no_external_key",
            f"no external account key of that id: {identifier}",
            hint="counterseal acme eab list shows those there are",
        )
    if found.revoked_at is not None:
        raise StoreError("acme.external_key_revoked", f"the external account key is revoked already: {identifier}")
    return found


def _account(row: Row) -> AccountRecord:
    identifier, thumbprint, jwk, status, contact, agreed, *rest = row
    return AccountRecord(identifier, thumbprint, jwk, status, contact, bool(agreed), *rest)


def _external(row: Row) -> ExternalKeyRecord:
    identifier, name, created_at, created_by, expires_at, reusable, used_at, revoked_at = row
    return ExternalKeyRecord(identifier, name, created_at, created_by, expires_at, bool(reusable), used_at, revoked_at)
