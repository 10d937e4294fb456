"""A store that was moved away: nobody opens it, and whoever has it open begins nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.errors import StoreError
from counterseal.store.migrations import MOVED, migrations
from store_fixtures import certificate, issue, new_store, open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from counterseal.store.store import Store

pytestmark = pytest.mark.usefixtures("each_database")


@pytest.mark.parametrize(
    "begin",
    [
        lambda store: store.require_here(),
        lambda store: store.begin(),
        lambda store: store.begin(alone=False),
        lambda store: store.begin(alone=False, durable=False),
        lambda store: store.touch(),
        lambda store: store.listen() or store.touch(),  # nobody listens to a file
        lambda store: issue(store, certificate(2)),
    ],
    ids=["look", "alone", "together", "soon", "statement", "listen", "issue"],
)
def test_who_has_it_open_begins_nothing_more(tmp_path: Path, begin: Callable[[Store], object]) -> None:
    """And what was done before stays."""
    with new_store(tmp_path) as store, open_store(tmp_path / "store.db") as mover:
        issue(store, certificate(1))
        store.require_here()
        with mover.transaction():
            mover.retire("the 'new' place")
        with pytest.raises(StoreError, match=r"was moved from .* to the 'new' place") as told:
            begin(store)
        assert told.value.code == "store.moved"
        assert [one.serial_number for one in store.by_name("client.device")] == [1]
        assert store.verify_key_uses().findings == ()


def test_nobody_opens_it(tmp_path: Path) -> None:
    """Once the move is committed, and a program that knows no moves takes it for a newer one's."""
    with new_store(tmp_path) as store:
        store.begin()
        store.retire("nowhere")
        store.abandon()
        open_store(tmp_path / "store.db").close()
        with store.transaction():
            store.retire("elsewhere")
    with pytest.raises(StoreError, match="elsewhere") as told:
        open_store(tmp_path / "store.db")
    assert told.value.code == "store.moved"
    assert migrations()[-1].version < MOVED
