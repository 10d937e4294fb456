"""Certificates counted by when they expire."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from store_fixtures import DAY, NOW, certificate, issue, new_store

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_database")


def test_valid_certificates_are_counted_by_period(tmp_path: Path) -> None:
    """An edge belongs to the period it begins; what expired before the first edge, or was revoked, is not counted."""
    ends = {1: NOW - 1, 2: NOW, 3: NOW + DAY - 1, 4: NOW + DAY, 5: NOW + 900 * DAY, 6: NOW + 2 * DAY}
    with new_store(tmp_path) as store:
        issue(store, *(certificate(number, not_after=end, name=f"n{number}") for number, end in ends.items()))
        issue(store, certificate(7, profile="server", not_after=NOW + DAY))
        store.revoke(6, issuer="clients", at=NOW, reason="superseded", crl_entry=b"e")
        assert list(store.profiles()) == ["client", "server"]
        assert store.count_valid("client", [NOW, NOW + DAY, NOW + 30 * DAY]) == (2, 1, 1)
        assert store.count_valid("server", [NOW, NOW + DAY, NOW + 30 * DAY]) == (0, 1, 0)
        assert store.count_valid("nobody", [NOW]) == (0,)
