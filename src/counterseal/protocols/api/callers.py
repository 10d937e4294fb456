"""Who asks: the bearer of an API token, or the holder of a client certificate; and what has been granted to him."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.errors import RefusedError
from counterseal.moments import epoch
from counterseal.protocols.api.bearer import bearer, grant_of, shown_token
from counterseal.protocols.api.operation import Caller
from counterseal.service.peer import peer_of
from counterseal.store.api_tokens import touch_api_token

if TYPE_CHECKING:
    from starlette.requests import Request

    from counterseal.protocols.api.parts import Parts
    from counterseal.store.api_tokens import ApiToken

USED_SECONDS = 60
"""How exact a token's last use is: one that asks a thousand times in a minute is written down once."""


async def caller_of(parts: Parts, request: Request) -> Caller:
    """Return who asks; a token that is shown decides alone, whatever certificate comes with it.

    Raises RefusedError, InputError.
    """
    text = shown_token(request.headers.getlist("authorization"))
    caller = await _by_certificate(parts, request) if text is None else await _by_token(parts, request, text)
    request.state.log["caller"] = caller.name
    return caller


async def _by_certificate(parts: Parts, request: Request) -> Caller:
    holder = await peer_of(parts.service, request)
    if holder is None:
        raise RefusedError(
            "api.unauthenticated",
            "nobody is known to be asking",
            hint="show a client certificate of this CA, or an API token as Authorization: Bearer",
        )
    record = holder.record
    grants = parts.rules.grants_of(record.subject, record.group, record.serial_number)
    return Caller(holder.name, grants, identity=holder.identity)


async def _by_token(parts: Parts, request: Request, text: str) -> Caller:
    client = request.client.host if request.client else None
    token = await parts.service.access.read(lambda authority: bearer(authority, text, client))
    await _touch(parts, token, client)
    name = f"token:{token.name}:{token.id}"
    return Caller(name, (grant_of(token),), identity=f"token:{token.id}", by_token=True)


async def _touch(parts: Parts, token: ApiToken, client: str | None) -> None:
    now = epoch(parts.service.clock())
    before = now - USED_SECONDS
    if token.last_used_at is None or token.last_used_at < before:
        await parts.service.access.write(
            lambda authority: touch_api_token(authority.store, token.id, now, client, before=before), durable=False
        )
