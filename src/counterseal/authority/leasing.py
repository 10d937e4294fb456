"""What one process does at a time, whatever others share the store: it waits for the lease and gives it back."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, TypeVar

from counterseal.authority.ahead import NAME as AHEAD
from counterseal.errors import StoreError
from counterseal.moments import epoch
from counterseal.store.leases import give_lease_back, held_leases, take_lease, was_leased

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from counterseal.authority.parts import Authority
    from counterseal.store.leases import Lease
    from counterseal.store.store import Store

T = TypeVar("T")

PATIENCE_SECONDS, PAUSE_SECONDS = 60.0, 0.02
SIGNING_SECONDS = 30
"""What was begun before that and is not recorded was given up, or its process died."""

_LISTS, _LISTS_SECONDS = "lists of a service", 120


@contextmanager
def leased(authority: Authority, name: str, *, seconds: int) -> Iterator[Lease]:
    """Hold the lease of this name inside the block, for so long at most; raises StoreError ``store.busy``.

    What is written must look at it in the same transaction (``store.leases.require_lease``).
    """
    lease = patiently(
        lambda: take_lease(authority.store, name, holder=authority.actor, seconds=seconds),
        name,
        until=monotonic() + PATIENCE_SECONDS,
    )
    try:
        yield lease
    finally:
        with suppress(StoreError):
            give_lease_back(authority.store, lease)


def tell_of_service(authority: Authority) -> None:
    """Say in the store that a service keeps the lists fresh; it counts for minutes, so call it at least once in one."""
    take_lease(authority.store, _LISTS, holder=authority.actor, seconds=_LISTS_SECONDS)


def has_service(authority: Authority) -> bool:
    """Return whether a service, on whatever host, keeps the lists fresh, or did so minutes ago."""
    return was_leased(authority.store, _LISTS, seconds=_LISTS_SECONDS)


def signatures_under_way(store: Store, now: datetime) -> int:
    """Return how many signatures are made, or may be, that are not in the log yet.

    For a certificate a number was reserved, not ahead and not long ago; for a list or a responder there is a lease.
    """
    since, until = epoch(now) - SIGNING_SECONDS, epoch(now) + SIGNING_SECONDS
    young = [one for one in store.reserved_before(until) if one.created_at >= since and one.name != AHEAD]
    return len(young) + len(set(held_leases(store)) - {_LISTS})


def patiently(take: Callable[[], T | None], name: str, *, until: float) -> T:
    """Return what ``take`` gives as soon as it gives something; raises StoreError ``store.busy`` after ``until``."""
    while (taken := take()) is None:
        if monotonic() > until:
            raise StoreError("store.busy", f"another process has been at this for long: {name}")
        sleep(PAUSE_SECONDS)
    return taken
