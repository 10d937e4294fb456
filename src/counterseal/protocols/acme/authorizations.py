"""Authorizations and challenges (RFC 8555 7.5, 8). Jobs for the one writer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from counterseal.moments import epoch
from counterseal.protocols.acme import objects
from counterseal.protocols.acme.encoding import encode
from counterseal.protocols.acme.exchange import HOUR, Call, Reply, rate_limited
from counterseal.protocols.acme.payloads import StatusChange
from counterseal.protocols.acme.problems import Problem, malformed, not_found, unauthorized
from counterseal.protocols.acme.states import (
    AUTHORIZATION,
    AuthorizationEvent,
    AuthorizationStatus,
    authorization_status,
    follow,
)
from counterseal.store.acme.authorizations import (
    add_authorizations,
    attempt,
    find_authorization,
    finish,
    reusable_authorizations,
    set_authorization_status,
    write_attempt,
)
from counterseal.store.acme.passing import count_use, uses
from counterseal.store.acme.records import AuthorizationRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.authority.parts import Authority
    from counterseal.protocols.acme.identifiers import Identifier
    from counterseal.protocols.acme.problems import Failure
    from counterseal.protocols.acme.rules import AcmeRules

TOKEN_BYTES = 24
"""RFC 8555 8.1 asks for at least 128 bits."""

REUSE_SECONDS = HOUR
"""An authorization that is over sooner than this is not used again: the order would be over with it."""

FAILURES = "failed challenges of one account"
RETRY_SECONDS = 1


def authorize(authority: Authority, call: Call, identifiers: Sequence[Identifier]) -> list[AuthorizationRecord]:
    """Return an authorization for each identifier: a valid one of the account, or a new one that is pending."""
    had = {one: _reusable(authority, call, one) for one in identifiers}
    new = {one: _new(call, one) for one, record in had.items() if record is None}
    add_authorizations(authority.store, list(new.values()))
    return [had[one] or new[one] for one in identifiers]


def authorization(authority: Authority, call: Call) -> Reply:
    """Show an authorization, or give it back (RFC 8555 7.5.2)."""
    record = _own(authority, call)
    wanted = None if call.is_get else call.read(StatusChange).status
    if wanted is not None:
        if wanted != AuthorizationStatus.DEACTIVATED:
            raise malformed("an authorization's status can only be set to deactivated")
        status = authorization_status(record.status, expires_at=record.expires_at, at=call.at)
        after = follow(AUTHORIZATION, status, AuthorizationEvent.DEACTIVATE)
        if after is status:
            raise malformed(f"the authorization is {status}")
        set_authorization_status(authority.store, record.id, after)
        record = _own(authority, call)
    return show_authorization(record, call)


def challenge(authority: Authority, call: Call) -> Reply:
    """Show a challenge, or begin to validate it (RFC 8555 7.5.1)."""
    record, kind = _own(authority, call), call.parameters["kind"]
    if kind not in kinds_of(record, call.rules):
        raise not_found("challenge")
    if not call.is_get and _begins(authority, call, record, kind):
        record = record._replace(attempted=kind)
        return show_challenge(record, call, validate=record)
    return show_challenge(record, call)


def durable_challenge(authority: Authority, call: Call) -> Reply:
    """Show a challenge, and have an attempt on disk that a crash might have forgotten so far."""
    write_attempt(authority.store, call.parameters["id"])
    return challenge(authority, call)


def show_challenge(record: AuthorizationRecord, call: Call, validate: AuthorizationRecord | None = None) -> Reply:
    """Return the answer that shows the challenge that the URL names."""
    document = objects.challenge(record, call.parameters["kind"], call.urls)
    return Reply(
        document,
        headers={"Retry-After": str(RETRY_SECONDS)} if document["status"] in {"pending", "processing"} else {},
        links=((call.urls.authorization(record.id), "up"),),
        validate=validate,
    )


def settle(
    authority: Authority, record: AuthorizationRecord, failure: Failure | None, rules: AcmeRules
) -> AuthorizationRecord | None:
    """Store what validation found: valid for as long as the rules say, or invalid with the reason.

    Returns the authorization as it is then, None where it was not pending any more.
    """
    at = epoch(authority.clock())
    if failure is None:
        valid = follow(AUTHORIZATION, AuthorizationStatus.PENDING, AuthorizationEvent.SUCCEED)
        until = at + int(rules.authorization_lifetime.total_seconds())
        decided = record._replace(status=valid, validated_at=at, expires_at=until, error=None)
    else:
        invalid = follow(AUTHORIZATION, AuthorizationStatus.PENDING, AuthorizationEvent.FAIL)
        document = failure.document() | {"identifier": {"type": record.kind, "value": record.value}}
        decided = record._replace(status=invalid, validated_at=None, error=json.dumps(document))
    if not finish(authority.store, decided):
        return None
    if failure is not None:
        count_use(authority.store, record.account, FAILURES, at // HOUR * HOUR)
    return decided


def kinds_of(record: AuthorizationRecord, rules: AcmeRules) -> tuple[str, ...]:
    """Return the challenges of an authorization."""
    return objects.challenge_kinds(record.kind, wildcard=record.wildcard, offered=rules.challenges)


def _begins(authority: Authority, call: Call, record: AuthorizationRecord, kind: str) -> bool:
    call.read(dict)
    status = authorization_status(record.status, expires_at=record.expires_at, at=call.at)
    if status is not AuthorizationStatus.PENDING:
        if record.attempted is None:
            raise malformed(f"the authorization is {status}")
        return False
    window = call.at // HOUR * HOUR
    allowed = call.rules.failures_per_hour
    if allowed and uses(authority.store, call.owner.id, FAILURES, window) >= allowed:
        raise rate_limited(f"more than {allowed} in an hour: {FAILURES}", window + HOUR - call.at)
    return attempt(authority.store, record.id, kind)


def _reusable(authority: Authority, call: Call, identifier: Identifier) -> AuthorizationRecord | None:
    found = reusable_authorizations(
        authority.store,
        call.owner.id,
        identifier.kind,
        identifier.base,
        wildcard=identifier.wildcard,
        at=call.at + REUSE_SECONDS,
    )
    return next((one for one in found if one.status == AuthorizationStatus.VALID), None)


def _new(call: Call, identifier: Identifier) -> AuthorizationRecord:
    if not objects.challenge_kinds(identifier.kind, wildcard=identifier.wildcard, offered=call.rules.challenges):
        raise Problem("rejectedIdentifier", f"no challenge is offered here for {identifier.value}")
    return AuthorizationRecord(
        id=call.new_id(),
        account=call.owner.id,
        kind=identifier.kind,
        value=identifier.base,
        wildcard=identifier.wildcard,
        status=AuthorizationStatus.PENDING,
        token=encode(call.parts.random_bytes(TOKEN_BYTES)),
        created_at=call.at,
        expires_at=call.at + int(call.rules.order_lifetime.total_seconds()),
    )


def _own(authority: Authority, call: Call) -> AuthorizationRecord:
    found = find_authorization(authority.store, call.parameters["id"])
    if found is None:
        raise not_found("authorization")
    if found.account != call.owner.id:
        raise unauthorized("this is the authorization of another account")
    return found


def show_authorization(record: AuthorizationRecord, call: Call, status: int = 200) -> Reply:
    """Return the answer that shows an authorization."""
    kinds = kinds_of(record, call.rules)
    document = objects.authorization(record, call.urls, kinds, at=call.at)
    headers = {"Location": call.urls.authorization(record.id)} if status == 201 else {}  # noqa: PLR2004 - Created
    if document["status"] == AuthorizationStatus.PENDING:
        headers["Retry-After"] = str(RETRY_SECONDS)
    return Reply(document, status, headers)
