"""One-time tokens: what each stands for, and how often it has been used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from counterseal.errors import NotFoundError, StoreError
from counterseal.store.rows import decode_names, encode_names

if TYPE_CHECKING:
    from counterseal.store.rows import Row
    from counterseal.store.session import Session

_COLUMNS = (
    "id, secret_hash, name, profile, names, group_name, lifetime, uses, used,"
    " created_at, created_by, expires_at, revoked_at, issuer"
)
BY_SECRET = f"select {_COLUMNS} from token where secret_hash = ?"  # noqa: S608 - constants only
_USE = "update token set used = used + 1 where id = ? and used < uses and revoked_at is null and expires_at > ?"
_SHOWN = 1000  # a value: where it stands in the statement, SQLite sorts the table rather than read an index in order
_FORGET = "delete from token where id in (select id from token where expires_at < ? order by expires_at limit ?)"


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token; times in seconds since the epoch, ``lifetime`` (of what is issued) in seconds, None the profile's.

    ``issuer`` is the CA that issues, None the active one for the profile's purpose.
    """

    id: str
    secret_hash: bytes = field(repr=False)
    name: str
    profile: str
    names: tuple[str, ...]
    group: str | None
    lifetime: int | None
    uses: int
    used: int
    created_at: int
    created_by: str
    expires_at: int
    revoked_at: int | None = None
    issuer: str | None = None


def add_token(session: Session, record: TokenRecord) -> None:
    """Add a token."""
    values = (
        record.id,
        record.secret_hash,
        record.name,
        record.profile,
        encode_names(record.names),
        record.group,
        record.lifetime,
        record.uses,
        record.used,
        record.created_at,
        record.created_by,
        record.expires_at,
        record.revoked_at,
        record.issuer,
    )
    with session.statement():
        session.run(f"insert into token ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)  # noqa: S608 - constants only


def find_token(session: Session, secret_hash: bytes) -> TokenRecord | None:
    """Return the token whose secret has this hash, or None."""
    row = session.row(BY_SECRET, (secret_hash,))
    return None if row is None else _token(row)


def tokens(session: Session) -> tuple[TokenRecord, ...]:
    """Return the newest thousand tokens, for people to look at."""
    rows = session.rows(f"select {_COLUMNS} from token order by created_at desc, id limit ?", (_SHOWN,))  # noqa: S608 - constants only
    return tuple(map(_token, rows))


def use_token(session: Session, identifier: str, at: int) -> bool:
    """Count one use and say whether there was one left; of several at once, no more than there are."""
    with session.statement():
        return bool(session.run(_USE, (identifier, at)))


def revoke_token(session: Session, identifier: str, at: int) -> TokenRecord:
    """Let the token be used no more; raises NotFoundError, StoreError when it is revoked already."""
    with session.transaction():
        found = revocable_token(session, identifier)
        session.run("update token set revoked_at = ? where id = ?", (at, identifier))
        return found


def revocable_token(session: Session, identifier: str) -> TokenRecord:
    """Return the token that ``revoke_token`` would revoke; raises what it raises."""
    row = session.row(f"select {_COLUMNS} from token where id = ?", (identifier,))  # noqa: S608 - constants only
    if row is None:
        raise NotFoundError(
            "token.not_found", f"no token of that id: {identifier}", hint="counterseal token list shows those there are"
        )
    found = _token(row)
    if found.revoked_at is not None:
        raise StoreError("token.revoked_already", f"the token is revoked already: {identifier}")
    return found


def forget_tokens(session: Session, before: int, limit: int) -> int:
    """Drop at most ``limit`` tokens that expired before this moment, and return how many."""
    with session.statement():
        return session.run(_FORGET, (before, limit))


def _token(row: Row) -> TokenRecord:
    identifier, secret_hash, name, profile, names, *rest = row
    return TokenRecord(identifier, secret_hash, name, profile, decode_names(names), *rest)
