"""What a client of the API is told when something did not work: a problem document for each of our errors. PURE.

400 is for what does not fit the OpenAPI document, 422 for what does and still cannot be meant, 403 for what role or
policy refuses, 409 for what does not go with the state of things.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from counterseal.errors import AmbiguousError, CountersealError, InputError, NginxError
from counterseal.service.problems import status_of

STATUSES = {
    "api.malformed": 400,
    "peer.malformed": 400,
    "api.media_type": 415,
    "api.unauthenticated": 401,
    "api.token_malformed": 400,
    "api.token_unknown": 401,
    "api.token_revoked": 401,
    "api.token_expired": 401,
    "api.token_network": 401,
    "api.too_many_requests": 429,
    "search.too_many": 429,
    "revoke.already": 409,
    "revoke.ca": 409,
    "ca.revoked": 409,
    "unrevoke.not_held": 409,
    "store.not_revocable": 409,
    "store.not_held": 409,
    "token.revoked_already": 409,
    "api_token.revoked_already": 409,
    "bundle.key_missing": 422,
    "bundle.browser_key": 422,
    "bundle.password_weak": 422,
    "certificate.not_kept": 409,
    "certificate.not_valid": 409,
    "config.invalid": 503,
    "idempotency.under_way": 409,
}
"""Where the kind of an error does not say it."""


class Reason(msgspec.Struct, frozen=True):
    """One of the reasons of a refusal; ``where`` is a JSON pointer into the body (RFC 6901), or names a parameter."""

    code: str
    message: str
    where: str | None
    hint: str | None


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem document (RFC 9457); ``code`` never changes, and the page of errors lists all there are."""

    type: str
    title: str
    status: int
    code: str | None = None
    detail: str | None = None
    hint: str | None = None
    findings: list[Reason] | None = None
    candidates: Annotated[list[str], msgspec.Meta(description="What an ambiguous word may stand for.")] | None = None


def api_status_of(error: CountersealError) -> int:
    """Return the HTTP status of an error here."""
    if error.code in STATUSES:
        return STATUSES[error.code]
    if error.code.startswith("peer."):
        return 401
    if isinstance(error, AmbiguousError):
        return 409
    if isinstance(error, NginxError):
        return 503
    return 422 if isinstance(error, InputError) else status_of(error)
