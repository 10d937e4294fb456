"""Where an order stands now: what the store says of it, its time, and the fate of its authorizations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.json import decode as read_stored

from counterseal.protocols.acme.states import OrderStatus, authorization_status, order_status
from counterseal.store.acme.authorizations import find_authorization

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.authority.parts import Authority
    from counterseal.store.acme.records import AuthorizationRecord, OrderRecord


def status_of(authority: Authority, record: OrderRecord, at: int) -> OrderStatus:
    """Return where an order stands now: see ``states``."""
    if record.status in {OrderStatus.VALID, OrderStatus.INVALID, OrderStatus.PROCESSING}:
        return OrderStatus(record.status)
    return derived_status(
        record, [find_authorization(authority.store, one) for one in read_stored(record.authorizations)], at
    )


def derived_status(record: OrderRecord, authorizations: Sequence[AuthorizationRecord | None], at: int) -> OrderStatus:
    """Return where an order that is not decided stands, by its time and its authorizations."""
    statuses = [
        None if one is None else authorization_status(one.status, expires_at=one.expires_at, at=at)
        for one in authorizations
    ]
    return order_status(record.status, statuses, expires_at=record.expires_at, at=at)
