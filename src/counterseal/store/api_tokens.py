"""Tokens of the API: what each permits, and when it was last used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from counterseal.errors import NotFoundError, StoreError
from counterseal.store.rows import decode_names, encode_names

if TYPE_CHECKING:
    from counterseal.store.rows import Row
    from counterseal.store.session import Session

_COLUMNS = (
    "id, secret_hash, name, role, profiles, networks, created_at, created_by, expires_at, revoked_at, last_used_at,"
    " last_used_from"
)
BY_ID = f"select {_COLUMNS} from api_token where id = ?"  # noqa: S608 - constants only
NEWEST = f"select {_COLUMNS} from api_token order by created_at desc, id limit 1000"  # noqa: S608 - constants only
TOUCH = (
    "update api_token set last_used_at = ?, last_used_from = ?"
    " where id = ? and (last_used_at is null or last_used_at < ?)"
)
FORGET = "delete from api_token where id in (select id from api_token where expires_at < ? order by expires_at limit ?)"


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token; times in seconds since the epoch. ``profiles`` None: all of them; no ``networks``: from anywhere."""

    id: str
    secret_hash: bytes = field(repr=False)
    name: str
    role: str
    profiles: tuple[str, ...] | None
    networks: tuple[str, ...]
    created_at: int
    created_by: str
    expires_at: int
    revoked_at: int | None = None
    last_used_at: int | None = None
    last_used_from: str | None = None


def add_api_token(session: Session, token: ApiToken) -> None:
    """Add a token."""
    values = (
        token.id,
        token.secret_hash,
        token.name,
        token.role,
        None if token.profiles is None else encode_names(token.profiles),
        encode_names(token.networks),
        token.created_at,
        token.created_by,
        token.expires_at,
        token.revoked_at,
        token.last_used_at,
        token.last_used_from,
    )
    with session.statement():
        session.run(f"insert into api_token ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)  # noqa: S608 - constants only


def find_api_token(session: Session, identifier: str) -> ApiToken | None:
    """Return the token of this id, or None."""
    row = session.row(BY_ID, (identifier,))
    return None if row is None else _token(row)


def api_token(session: Session, identifier: str) -> ApiToken:
    """Return the token of this id; raises NotFoundError."""
    found = find_api_token(session, identifier)
    if found is None:
        raise NotFoundError(
            "api_token.not_found",
            f"no API token of that id: {identifier}",
            hint="counterseal api token list shows those there are",
        )
    return found


def api_tokens(session: Session) -> tuple[ApiToken, ...]:
    """Return the newest thousand tokens, for people to look at."""
    return tuple(map(_token, session.rows(NEWEST)))


def touch_api_token(session: Session, identifier: str, at: int, client: str | None, *, before: int) -> None:
    """Write down a use at ``at`` by ``client``, unless one after ``before`` is written down already."""
    with session.statement():
        session.run(TOUCH, (at, client, identifier, before))


def revoke_api_token(session: Session, identifier: str, at: int) -> ApiToken:
    """Let the token open nothing any more; raises NotFoundError, StoreError when it is revoked already."""
    with session.transaction():
        found = api_token(session, identifier)
        require_not_revoked(found)
        session.run("update api_token set revoked_at = ? where id = ?", (at, identifier))
        return found


def require_not_revoked(token: ApiToken) -> None:
    """Raise StoreError ``api_token.revoked_already``."""
    if token.revoked_at is not None:
        raise StoreError("api_token.revoked_already", f"the API token is revoked already: {token.id}")


def forget_api_tokens(session: Session, before: int, limit: int) -> int:
    """Drop at most ``limit`` tokens that expired before this moment, and return how many."""
    with session.statement():
        return session.run(FORGET, (before, limit))


def _token(row: Row) -> ApiToken:
    identifier, secret_hash, name, role, profiles, networks, *rest = row
    permitted = None if profiles is None else decode_names(profiles)
    return ApiToken(identifier, secret_hash, name, role, permitted, decode_names(networks), *rest)
