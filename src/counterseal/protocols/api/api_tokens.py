"""API tokens: for who asks over the API and has no client certificate."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from counterseal.authority.record_json import api_token_to_json
from counterseal.duration import parse_duration
from counterseal.errors import RefusedError
from counterseal.moments import epoch
from counterseal.protocols.api.bearer import TokenTerms, new_api_token
from counterseal.protocols.api.operation import Call, Operation, Reply
from counterseal.protocols.api.rehearsal import change
from counterseal.protocols.api.rules import Grant, Role
from counterseal.protocols.api.shapes import Described, DryRun, Lifetime, Name, Sealed, Time
from counterseal.store.api_tokens import add_api_token, api_token, api_tokens, revoke_api_token

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority

LIFETIME = timedelta(days=90)


class ApiTokenWish(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Who it is for, and what it permits."""

    name: Annotated[Name, Described(description="Who or what it is for.", examples=["deploy pipeline"])]
    role: Literal["viewer", "operator", "admin"]
    profiles: Annotated[
        Annotated[list[Name], Described(max_length=100)] | None,
        Described(description="What it may issue, renew and revoke; null for every profile."),
    ] = None
    networks: Annotated[
        list[Annotated[str, Described(min_length=1, max_length=50, examples=["10.0.0.0/8"])]],
        Described(max_length=100, description="Only from these addresses or networks; none: from anywhere."),
    ] = []
    expires: Annotated[Lifetime | None, Described(description="By default after 90 days.")] = None
    dry_run: DryRun = False


class ApiToken(msgspec.Struct, frozen=True):
    """An API token, without its secret."""

    id: str
    name: str
    role: str
    profiles: list[str] | None
    networks: list[str]
    state: Annotated[str, Described(description="open, expired or revoked.")]
    created_at: Time
    created_by: str
    expires_at: Time
    revoked_at: Time | None
    last_used_at: Annotated[Time | None, Described(description="To the minute; null: never.")]
    last_used_from: Annotated[str | None, Described(description="The address, where it is known.")]


class ApiTokens(msgspec.Struct, frozen=True):
    """The newest API tokens."""

    api_tokens: list[ApiToken]


class NewApiToken(Sealed, frozen=True):
    """An API token and its secret text, which is shown this once."""

    api_token: ApiToken
    secret: Annotated[str, Described(description="Send it as `Authorization: Bearer ...`.")]


class PlannedApiToken(msgspec.Struct, frozen=True):
    """The API token that would be made; its id would be drawn anew, and it has no secret."""

    api_token: ApiToken


class Granted(msgspec.Struct, frozen=True):
    """A role, and the profiles that it is for; null for every profile."""

    role: str
    profiles: list[str] | None


class Myself(msgspec.Struct, frozen=True):
    """Who asks, as the logs call him, and what has been granted to him."""

    name: str
    by_token: bool
    grants: list[Granted]


class OneApiToken(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which token."""

    api_token_id: Annotated[Name, Described(description="Its id, not its secret.")]
    dry_run: DryRun = False


async def create(call: Call) -> Reply:
    """Make an API token that may do no more than who makes it; one cannot be made with another one."""
    wanted: ApiTokenWish = call.body
    grant = Grant(Role(wanted.role), None if wanted.profiles is None else tuple(wanted.profiles))
    if call.caller.by_token or not call.caller.has(grant):
        raise RefusedError(
            "api.token_beyond",
            f"{call.caller.name} may not make a token with the role {grant.role}",
            hint="ask with a client certificate that has that role, or use counterseal api token add",
        )
    lifetime = LIFETIME if wanted.expires is None else parse_duration(wanted.expires)
    terms = TokenTerms(wanted.name, grant, lifetime, tuple(wanted.networks))

    def make(authority: Authority) -> Reply:
        token, secret = new_api_token(call.acting(authority), terms)
        add_api_token(authority.store, token)
        shown = {"api_token": api_token_to_json(token, token.created_at)}
        return Reply(shown, status=200) if wanted.dry_run else Reply(shown | {"secret": secret})

    return await change(call.parts.service.access, make, dry_run=wanted.dry_run)


async def show_caller(call: Call) -> Reply:
    """Say who is asking, and what he may."""
    grants = [
        Granted(str(one.role), None if one.profiles is None else list(one.profiles)) for one in call.caller.grants
    ]
    return Reply(Myself(call.caller.name, call.caller.by_token, grants))


async def list_(call: Call) -> Reply:
    """List the newest API tokens; their secrets are not kept."""
    found = await call.parts.service.access.read(lambda authority: api_tokens(authority.store))
    at = epoch(call.parts.service.clock())
    return Reply({"api_tokens": [api_token_to_json(one, at) for one in found]})


async def revoke(call: Call) -> Reply:
    """Revoke an API token that permits no more than the caller has; from the next request on it opens nothing."""
    wanted: OneApiToken = call.parameters

    def take_back(authority: Authority) -> Reply:
        found = api_token(authority.store, wanted.api_token_id)
        if not call.caller.has(Grant(Role(found.role), found.profiles)):
            raise RefusedError(
                "api.token_beyond",
                f"{call.caller.name} may not revoke a token with the role {found.role}: it permits more than he may",
                hint="ask somebody who has its role for all its profiles, or use counterseal api token revoke",
            )
        at = epoch(authority.clock())
        revoked = replace(revoke_api_token(authority.store, wanted.api_token_id, at), revoked_at=at)
        return Reply(api_token_to_json(revoked, at))

    return await change(call.parts.service.access, take_back, dry_run=wanted.dry_run)


OPERATIONS = (
    Operation("showCaller", "GET", "/v1/caller", Role.VIEWER, show_caller, Myself, "Show who is asking"),
    Operation(
        "listApiTokens", "GET", "/v1/api-tokens", Role.VIEWER, list_, ApiTokens, "List the API tokens",
    ),
    Operation(
        "createApiToken", "POST", "/v1/api-tokens", Role.ADMIN, create, NewApiToken, "Make an API token",
        status=201, body=ApiTokenWish, rehearsal=PlannedApiToken,
        problems={404: "There is no such profile.", 422: "A value has no meaning here."},
    ),
    Operation(
        "revokeApiToken", "POST", "/v1/api-tokens/{api_token_id}/revoke", Role.ADMIN, revoke, ApiToken,
        "Revoke an API token", parameters=OneApiToken,
        problems={404: "There is no such token.", 409: "It is revoked already."},
    ),
)  # fmt: skip
