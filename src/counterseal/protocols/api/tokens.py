"""One-time tokens: for a machine or a person that makes its key itself and gets its certificate for the secret."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import msgspec

from counterseal.authority.record_json import token_to_json
from counterseal.authority.token import MAX_USES, Grant, make_token
from counterseal.duration import parse_duration, show_duration
from counterseal.errors import RefusedError
from counterseal.moments import epoch
from counterseal.pki.subject import show_subject, subject_of
from counterseal.protocols.api.escalation import refuse_escalation
from counterseal.protocols.api.operation import Call, Operation, Reply
from counterseal.protocols.api.rehearsal import change
from counterseal.protocols.api.rules import Role
from counterseal.protocols.api.shapes import Described, DryRun, Lifetime, Name, Sealed, Text, Time
from counterseal.store.tokens import revocable_token, revoke_token, tokens

if TYPE_CHECKING:
    from counterseal.authority.parts import Authority
    from counterseal.pki.profile import Profile

ONE_HOUR = timedelta(hours=1)


class TokenWish(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What the certificate shall say, how often and until when."""

    name: Annotated[
        Name,
        Described(description="What to call it: a DNS name or an address of a server.", examples=["app.example.com"]),
    ]
    profile: Annotated[
        Name, Described(description="What it is for: server, client, or one of your own.", examples=["server"])
    ]
    names: Annotated[list[Text], Described(max_length=100, description="More names.")] = []
    group: Annotated[Name | None, Described(description="Group (OU) of a client.")] = None
    lifetime: Annotated[Lifetime | None, Described(description="Of the certificate; by default the profile's.")] = None
    issuer: Annotated[Name | None, Described(description="Its CA; by default the active one of the purpose.")] = None
    uses: Annotated[int, Described(ge=1, le=MAX_USES)] = 1
    expires: Annotated[Lifetime | None, Described(description="Of the token; by default an hour.")] = None
    dry_run: DryRun = False


class Token(msgspec.Struct, frozen=True):
    """A token, without its secret."""

    id: str
    name: str
    profile: str
    names: list[str]
    group: str | None
    lifetime: Annotated[int | None, Described(description="Seconds.")]
    issuer: str | None
    state: Annotated[str, Described(description="open, used up, expired or revoked.")]
    uses: int
    used: int
    created_at: Time
    created_by: str
    expires_at: Time
    revoked_at: Time | None


class Tokens(msgspec.Struct, frozen=True):
    """The newest tokens."""

    tokens: list[Token]


class NewToken(Sealed, frozen=True):
    """A token and its secret, which is shown this once."""

    token: Token
    secret: str


class PlannedToken(msgspec.Struct, frozen=True):
    """The token that would be made; its id would be drawn anew, and it has no secret."""

    token: Token


class OneToken(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which token."""

    id: Annotated[Name, Described(description="Its id, not its secret.")]
    dry_run: DryRun = False


async def create(call: Call) -> Reply:
    """Make a one-time token; what policy would refuse to issue is refused now."""
    wanted: TokenWish = call.body
    grant = Grant(
        wanted.name,
        wanted.profile,
        tuple(wanted.names),
        wanted.group,
        None if wanted.lifetime is None else parse_duration(wanted.lifetime),
        wanted.uses,
        ONE_HOUR if wanted.expires is None else parse_duration(wanted.expires),
        wanted.issuer,
    )

    def make(authority: Authority) -> Reply:
        profile = authority.profile(wanted.profile)
        call.caller.require(Role.OPERATOR, profile.name)
        _check_lifetime(profile, grant)
        refuse_escalation(call, show_subject(subject_of(wanted.name, group=wanted.group)), wanted.group)
        record, secret = make_token(call.acting(authority), grant)
        shown = {"token": token_to_json(record, epoch(authority.clock()))}
        return Reply(shown, status=200) if wanted.dry_run else Reply(shown | {"secret": secret})

    return await change(call.parts.service.access, make, dry_run=wanted.dry_run)


def _check_lifetime(profile: Profile, grant: Grant) -> None:
    longest = profile.for_strangers().max_lifetime
    if grant.lifetime is not None and grant.lifetime > longest:
        raise RefusedError(
            "token.lifetime",
            f"lifetime {show_duration(grant.lifetime)} is above {show_duration(longest)}, profile {profile.name!r}",
            hint="max_lifetime of a profile, in counterseal.toml, says how much longer callers may choose",
        )


async def list_tokens(call: Call) -> Reply:
    """List the newest tokens; their secrets are not kept."""
    found = await call.parts.service.access.read(lambda authority: tokens(authority.store))
    at = epoch(call.parts.service.clock())
    return Reply({"tokens": [token_to_json(one, at) for one in found]})


async def revoke(call: Call) -> Reply:
    """Take back a token of a profile that the caller may issue of; what it has given stays as it is."""
    wanted: OneToken = call.parameters

    def take_back(authority: Authority) -> Reply:
        call.caller.require(Role.OPERATOR, revocable_token(authority.store, wanted.id).profile)
        at = epoch(authority.clock())
        return Reply(token_to_json(replace(revoke_token(authority.store, wanted.id, at), revoked_at=at), at))

    return await change(call.parts.service.access, take_back, dry_run=wanted.dry_run)


OPERATIONS = (
    Operation("listTokens", "GET", "/v1/tokens", Role.VIEWER, list_tokens, Tokens, "List the tokens"),
    Operation(
        "createToken", "POST", "/v1/tokens", Role.OPERATOR, create, NewToken, "Make a one-time token",
        status=201, body=TokenWish, rehearsal=PlannedToken,
        problems={404: "There is no such profile or CA.", 422: "A value has no meaning here."},
    ),
    Operation(
        "revokeToken", "POST", "/v1/tokens/{id}/revoke", Role.OPERATOR, revoke, Token, "Revoke a token",
        parameters=OneToken, problems={404: "There is no such token.", 409: "It is revoked already."},
    ),
)  # fmt: skip
