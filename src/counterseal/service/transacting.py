"""What a job does with its connection to a shared store: a look, a transaction, patience while the database is away.

All of it is done again from its beginning when the database undid it. Only a commit that was sent and not answered is
not: nobody knows whether it happened, so whoever asked is told to come again and look.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from counterseal.errors import StoreError
from counterseal.service.problems import AWAY
from counterseal.suspension import sleep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from counterseal.authority.parts import Authority

T = TypeVar("T")

PATIENCE_SECONDS, PAUSE_SECONDS = 20.0, 0.1
"""How long a database may be away before those who wait are told so, counted from when they asked."""

CONFLICT = "store.conflict"


def look(authority: Authority, job: Callable[[Authority], T], *, ask_first: bool) -> T:
    """Do a job that is over soon; ask before whether the store is here still, where that would not be announced."""
    if ask_first:
        authority.store.require_here()
    with authority.store.cas_once():
        return job(authority)


@contextmanager
def asking(authority: Authority) -> Iterator[None]:
    """Look, and write what concerns nobody else and may be forgotten, in no transaction."""
    with authority.store.cas_once(), authority.store.each_by_itself():
        yield


@contextmanager
def transaction(authority: Authority, *, durable: bool = True) -> Iterator[None]:
    """Commit at the end, beside others; raises StoreError ``store.unanswered`` when the answer to that was lost."""
    store = authority.store
    store.begin(alone=False, durable=durable)
    try:
        with store.cas_once():
            yield
        _send(store.commit)
    except BaseException:
        store.abandon()
        raise


def patiently(work: Callable[[], T], until: float, over: Callable[[], bool] = lambda: False) -> T:
    """Do the work again while the database is away, or undid it: until then by the monotonic clock, or it is over."""
    while True:
        try:
            return work()
        except StoreError as error:
            if error.code not in AWAY | {CONFLICT} or over() or time.monotonic() > until:
                raise
            pause = 0.0 if error.code == CONFLICT else PAUSE_SECONDS
        sleep(pause)


def silent(seconds: float) -> StoreError:
    """Return the error for a database that is not waited for any longer."""
    return StoreError("store.unreachable", f"the store's database did not answer within {seconds:g} s")


def _send(commit: Callable[[], None]) -> None:
    try:
        commit()
    except StoreError as error:
        if error.code in AWAY:
            raise StoreError(
                "store.unanswered",
                "the database went away in the middle of a commit, which it may have done or not",
                hint="look before you ask for it again",
            ) from error
        raise
