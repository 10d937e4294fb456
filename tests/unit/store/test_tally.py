"""The log of key uses is counted forward: each entry once, whoever counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.store.tally import (
    Tally,
    add_tallies,
    count_key_uses,
    key_use_tallies,
    revoked_by_reason,
)
from store_fixtures import NOW, certificate, issue, new_store

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.store.store import Store

pytestmark = pytest.mark.usefixtures("each_database")


def count_all(store: Store, limit: int = 2) -> int:
    """Count to the end of the log and return in how many steps."""
    steps = 0
    while uncounted := count_key_uses(store, limit=limit):
        assert add_tallies(store, uncounted)
        steps += 1
    return steps


def test_each_entry_counts_once_in_steps(tmp_path: Path) -> None:
    """By CA, profile and face; what was signed later is added to what was counted before."""
    with new_store(tmp_path) as store:
        issue(store, certificate(1), certificate(2), certificate(3, created_by="acme:x", profile="server"))
        assert (count_all(store), count_all(store)) == (2, 0)
        issue(store, certificate(4))
        assert count_all(store) == 1
        assert key_use_tallies(store) == (
            Tally("clients", "certificate", "client", "local", 3),
            Tally("clients", "certificate", "server", "acme", 1),
        )


def test_of_two_that_count_the_same_one_adds(tmp_path: Path) -> None:
    """As two replicas do."""
    with new_store(tmp_path) as store:
        issue(store, certificate(1))
        first, second = count_key_uses(store, limit=9), count_key_uses(store, limit=9)
        assert first
        assert second
        assert (add_tallies(store, first), add_tallies(store, second)) == (True, False)
        assert [one.times for one in key_use_tallies(store)] == [1]


def test_revocations_are_counted_by_reason(tmp_path: Path) -> None:
    """As they are now: a hold that was lifted counts no more."""
    with new_store(tmp_path) as store:
        issue(store, *(certificate(number) for number in (1, 2, 3)))
        for number, reason in ((1, "superseded"), (2, "superseded"), (3, "certificate_hold")):
            store.revoke(number, issuer="clients", at=NOW, reason=reason, crl_entry=b"e")
        store.unrevoke(3, issuer="clients")
        assert revoked_by_reason(store) == (("clients", "superseded", 2),)
