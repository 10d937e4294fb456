"""One holder at a time, by the clock of the database, and a late one is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.errors import StoreError
from counterseal.store.acme import authorizations, orders
from counterseal.store.acme.accounts import add_account
from counterseal.store.acme.records import AccountRecord, AuthorizationRecord, OrderRecord
from counterseal.store.leases import give_lease_back, require_lease, take_lease, was_leased
from counterseal.store.records import CRLRecord
from store_fixtures import NOW, new_store, open_store

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_database")


def test_a_lease_has_one_holder(tmp_path: Path) -> None:
    """Until it is given back; the next one has a higher token."""
    with new_store(tmp_path) as store, open_store(tmp_path / "store.db") as other:
        first = take_lease(store, "x", holder="a", seconds=60)
        assert first is not None
        assert take_lease(other, "x", holder="b", seconds=60) is None
        assert take_lease(other, "y", holder="b", seconds=60) is not None
        require_lease(store, first)
        give_lease_back(store, first)
        second = take_lease(other, "x", holder="b", seconds=60)
        assert second is not None
        assert second.token > first.token


def test_a_lease_that_ended_a_moment_ago_is_told_from_one_that_nobody_had(tmp_path: Path) -> None:
    """By the clock of the database."""
    with new_store(tmp_path) as store:
        assert not was_leased(store, "x", seconds=60)
        assert take_lease(store, "x", holder="a", seconds=-30) is not None
        assert (was_leased(store, "x", seconds=60), was_leased(store, "x", seconds=20)) == (True, False)


def test_who_is_late_publishes_nothing(tmp_path: Path) -> None:
    """Its time is over and another one began: neither its list nor its log entry is kept, and the other's are."""
    with new_store(tmp_path) as store, open_store(tmp_path / "store.db") as other:
        late = store.begin_crl("clients", holder="a", seconds=0)
        begun = other.begin_crl("clients", holder="b", seconds=60)
        assert late is not None
        assert begun is not None
        assert begun[1] == late[1] + 1
        assert store.begin_crl("clients", holder="c", seconds=60) is None
        with pytest.raises(StoreError, match="took this over") as caught:
            store.add_crl(CRLRecord("clients", late[1], NOW, NOW + 1, b"late", 0), lease=late[0])
        assert caught.value.code == "store.lease_lost"
        give_lease_back(store, late[0])  # which is not its own any more
        other.add_crl(CRLRecord("clients", begun[1], NOW, NOW + 1, b"good", 0), lease=begun[0])
        assert [crl.crl for crl in [store.latest_crl("clients")] if crl] == [b"good"]
        assert store.begin_crl("clients", holder="c", seconds=60) is not None


def test_work_is_taken_over_when_nobody_has_it_any_more(tmp_path: Path) -> None:
    """What is claimed stays with its process, but for one that knows itself alone."""
    with new_store(tmp_path) as store:
        add_account(
            store, AccountRecord("a", "t", "{}", "valid", "[]", terms_agreed=True, external_key=None, created_at=NOW)
        )
        record = AuthorizationRecord("z", "a", "dns", "x.test", False, "pending", "t", NOW, NOW + 100)
        authorizations.add_authorizations(store, [record])
        orders.add_order(store, OrderRecord("o", "a", "ready", "[]", "[]", "server", NOW, NOW + 100))
        assert authorizations.claim_attempted(store, everything=True, limit=9) == ()
        assert authorizations.attempt(store, "z", "http-01")
        assert orders.change_order(store, "o", was="ready", status="processing", csr=b"csr")
        assert authorizations.claim_attempted(store, everything=False, limit=9) == ()
        assert orders.claim_processing(store, everything=False, limit=9) == ()
        assert not orders.is_left_behind(store)
        for table in ("acme_authorization", "acme_order"):
            store.run(f"update {table} set claimed_until = claimed_until - 3600")  # noqa: S608 - the test's own
        assert orders.is_left_behind(store)
        assert authorizations.claim_attempted(store, everything=False, limit=9) == ("z",)
        assert authorizations.claim_attempted(store, everything=False, limit=9) == ()
        assert authorizations.claim_attempted(store, everything=True, limit=9) == ("z",)
        assert orders.claim_processing(store, everything=False, limit=9) == ("o",)
        assert orders.claim_processing(store, everything=False, limit=9) == ()
        assert orders.claim_processing(store, everything=True, limit=9) == ("o",)
        assert not orders.is_left_behind(store)
        assert [one.csr for one in [orders.find_order(store, "o")] if one] == [b"csr"]
