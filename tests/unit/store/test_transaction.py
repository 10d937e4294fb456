"""Transactions inside transactions: a step fails alone, the outermost makes all durable together."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import StoreError
from store_fixtures import certificate, new_store, reservation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.store.store import Store

pytestmark = pytest.mark.usefixtures("each_database")


def taken(store: Store) -> list[int]:
    """Return the reserved numbers."""
    return [one.serial_number for one in store.reserved_before(1 << 40)]


@contextmanager
def after_reserving(store: Store, number: int) -> Iterator[None]:
    """Run the block in a transaction that has reserved a number in a step of its own."""
    with store.transaction():
        store.reserve_many([reservation(certificate(number))])
        yield


@contextmanager
def lost_transaction(store: Store) -> Iterator[None]:
    """Run the block in a transaction that the database has rolled back by itself."""
    with store.transaction():
        store.run("rollback")
        yield


def test_a_step_that_fails_leaves_the_others(tmp_path: Path) -> None:
    """What came before it and what comes after it is committed."""
    with new_store(tmp_path) as store:
        with store.transaction():
            store.reserve_many([reservation(certificate(1))])
            with pytest.raises(StoreError, match="serial number is taken: 01 "):
                store.reserve_many([reservation(certificate(number)) for number in (2, 1)])
            store.reserve_many([reservation(certificate(3))])
        assert taken(store) == [1, 3]


def test_nothing_is_there_when_the_outermost_fails(tmp_path: Path) -> None:
    """Also what a step had finished."""
    with new_store(tmp_path) as store:
        with pytest.raises(StoreError, match="is taken"), after_reserving(store, 1):
            store.reserve_many([reservation(certificate(1))])
        assert taken(store) == []
        store.reserve_many([reservation(certificate(2))])
        assert taken(store) == [2]


def test_a_step_after_a_lost_transaction_is_refused(tmp_path: Path) -> None:
    """SQLite rolls back by itself when a disk is full; a step then must not begin a transaction of its own."""
    with new_store(tmp_path) as store:
        with pytest.raises(StoreError, match="rolled back"), lost_transaction(store):
            store.reserve_many([reservation(certificate(1))])
        assert taken(store) == []
