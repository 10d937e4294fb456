"""The state machines (RFC 8555 7.1.6) as tables: what may follow what, and upon which event.

An order's and an authorization's status is what the store says, plus what has happened since by itself: time, and the
fate of the authorizations. ``order_status`` and ``authorization_status`` apply that, so nothing has to sweep.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

StateT = TypeVar("StateT", bound=StrEnum)
EventT = TypeVar("EventT", bound=StrEnum)


class AccountStatus(StrEnum):
    """RFC 8555 7.1.2."""

    VALID = "valid"
    DEACTIVATED = "deactivated"
    REVOKED = "revoked"


class OrderStatus(StrEnum):
    """RFC 8555 7.1.3."""

    PENDING = "pending"
    READY = "ready"
    PROCESSING = "processing"
    VALID = "valid"
    INVALID = "invalid"


class AuthorizationStatus(StrEnum):
    """RFC 8555 7.1.4; expired is never stored."""

    PENDING = "pending"
    VALID = "valid"
    INVALID = "invalid"
    DEACTIVATED = "deactivated"
    EXPIRED = "expired"
    REVOKED = "revoked"


class ChallengeStatus(StrEnum):
    """RFC 8555 8."""

    PENDING = "pending"
    PROCESSING = "processing"
    VALID = "valid"
    INVALID = "invalid"


class OrderEvent(StrEnum):
    """What can happen to an order."""

    AUTHORIZED = "all authorizations are valid"
    UNAUTHORIZED = "an authorization is not valid any more"
    EXPIRE = "its time is over"
    FINALIZE = "the client sends a CSR that fits"
    ISSUE = "the certificate is stored"
    FAIL = "the certificate cannot be issued"


class AuthorizationEvent(StrEnum):
    """What can happen to an authorization."""

    SUCCEED = "its challenge succeeds"
    FAIL = "its challenge fails"
    DEACTIVATE = "the client gives it back"
    REVOKE = "the server takes it back"
    EXPIRE = "its time is over"


ORDER = {
    (OrderStatus.PENDING, OrderEvent.AUTHORIZED): OrderStatus.READY,
    (OrderStatus.PENDING, OrderEvent.UNAUTHORIZED): OrderStatus.INVALID,
    (OrderStatus.PENDING, OrderEvent.EXPIRE): OrderStatus.INVALID,
    (OrderStatus.READY, OrderEvent.UNAUTHORIZED): OrderStatus.INVALID,
    (OrderStatus.READY, OrderEvent.EXPIRE): OrderStatus.INVALID,
    (OrderStatus.READY, OrderEvent.FINALIZE): OrderStatus.PROCESSING,
    (OrderStatus.READY, OrderEvent.FAIL): OrderStatus.INVALID,
    (OrderStatus.PROCESSING, OrderEvent.ISSUE): OrderStatus.VALID,
    (OrderStatus.PROCESSING, OrderEvent.FAIL): OrderStatus.INVALID,
}

AUTHORIZATION = {
    (AuthorizationStatus.PENDING, AuthorizationEvent.SUCCEED): AuthorizationStatus.VALID,
    (AuthorizationStatus.PENDING, AuthorizationEvent.FAIL): AuthorizationStatus.INVALID,
    (AuthorizationStatus.PENDING, AuthorizationEvent.DEACTIVATE): AuthorizationStatus.DEACTIVATED,
    (AuthorizationStatus.PENDING, AuthorizationEvent.EXPIRE): AuthorizationStatus.INVALID,
    (AuthorizationStatus.VALID, AuthorizationEvent.DEACTIVATE): AuthorizationStatus.DEACTIVATED,
    (AuthorizationStatus.VALID, AuthorizationEvent.REVOKE): AuthorizationStatus.REVOKED,
    (AuthorizationStatus.VALID, AuthorizationEvent.EXPIRE): AuthorizationStatus.EXPIRED,
}


def follow(table: dict[tuple[StateT, EventT], StateT], state: StateT, event: EventT) -> StateT:
    """Return the state after ``event``; one that the table does not have leaves the state as it is."""
    return table.get((state, event), state)


def authorization_status(stored: str, *, expires_at: int, at: int) -> AuthorizationStatus:
    """Return where an authorization stands now."""
    status = AuthorizationStatus(stored)
    return follow(AUTHORIZATION, status, AuthorizationEvent.EXPIRE) if at >= expires_at else status


def order_status(
    stored: str, authorizations: Sequence[AuthorizationStatus | None], *, expires_at: int, at: int
) -> OrderStatus:
    """Return where an order stands now; an authorization that is gone is None, and counts as one that failed."""
    status = OrderStatus(stored)
    if at >= expires_at:
        status = follow(ORDER, status, OrderEvent.EXPIRE)
    if all(one is AuthorizationStatus.VALID for one in authorizations):
        return follow(ORDER, status, OrderEvent.AUTHORIZED)
    if any(one not in {AuthorizationStatus.PENDING, AuthorizationStatus.VALID} for one in authorizations):
        return follow(ORDER, status, OrderEvent.UNAUTHORIZED)
    return status


def challenge_status(
    kind: str, *, attempted: str | None, authorization: str, validated_at: int | None
) -> ChallengeStatus:
    """Return where one challenge stands: of those of an authorization only one is ever attempted (RFC 8555 7.1.6).

    One that was under way when its authorization was given back has not succeeded.
    """
    if kind != attempted:
        return ChallengeStatus.PENDING
    if validated_at is not None:
        return ChallengeStatus.VALID
    is_pending = AuthorizationStatus(authorization) is AuthorizationStatus.PENDING
    return ChallengeStatus.PROCESSING if is_pending else ChallengeStatus.INVALID
