"""API tokens in the store: kept as they were, used, revoked, and the old ones go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import NotFoundError, StoreError
from counterseal.store.api_tokens import (
    ApiToken,
    add_api_token,
    api_tokens,
    find_api_token,
    forget_api_tokens,
    revoke_api_token,
    touch_api_token,
)
from store_fixtures import NOW, new_store

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_database")

TOKEN = ApiToken("0a", b"hash", "ci", "operator", ("server",), ("10.0.0.0/8",), NOW, "root", NOW + 60)


def test_tokens_are_kept_as_they_were(tmp_path: Path) -> None:
    """For some profiles, for none and for all; newest first."""
    others = [replace(TOKEN, id=name, profiles=kept, created_at=NOW + 1) for name, kept in (("0b", None), ("0c", ()))]
    with new_store(tmp_path) as store:
        for token in (TOKEN, *others):
            add_api_token(store, token)
        assert find_api_token(store, "0a") == TOKEN
        assert api_tokens(store) == (*others, TOKEN)
        assert find_api_token(store, "0d") is None


def test_the_last_use_is_written_once_in_a_while(tmp_path: Path) -> None:
    """Of many uses, the first after the pause."""
    with new_store(tmp_path) as store:
        add_api_token(store, TOKEN)
        for at, client in ((NOW, "10.0.0.1"), (NOW + 59, "10.0.0.2")):
            touch_api_token(store, "0a", at, client, before=at - 60)
        assert find_api_token(store, "0a") == replace(TOKEN, last_used_at=NOW, last_used_from="10.0.0.1")
        touch_api_token(store, "0a", NOW + 61, None, before=NOW + 1)
        assert find_api_token(store, "0a") == replace(TOKEN, last_used_at=NOW + 61, last_used_from=None)


def test_revoked_once_and_forgotten_in_steps(tmp_path: Path) -> None:
    """What was revoked stays listed until it is old."""
    with new_store(tmp_path) as store:
        for number in range(3):
            add_api_token(store, replace(TOKEN, id=str(number), expires_at=NOW + number))
        revoke_api_token(store, "1", NOW)
        with pytest.raises(StoreError, match="the API token is revoked already: 1"):
            revoke_api_token(store, "1", NOW)
        with pytest.raises(NotFoundError, match="no API token of that id: 7"):
            revoke_api_token(store, "7", NOW)
        assert [forget_api_tokens(store, NOW + 2, 1) for _ in range(3)] == [1, 1, 0]
        assert [one.id for one in api_tokens(store)] == ["2"]
