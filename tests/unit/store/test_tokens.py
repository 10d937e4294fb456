"""Tokens of both kinds in the store: nothing that a request asks for scans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.store import api_tokens
from counterseal.store.tokens import _FORGET, _USE, BY_SECRET
from store_fixtures import new_store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (BY_SECRET, (b"",)),
        (_USE, ("", 0)),
        (_FORGET, (0, 1)),
        (api_tokens.BY_ID, ("",)),
        (api_tokens.TOUCH, (0, "", "", 0)),
        (api_tokens.FORGET, (0, 1)),
    ],
)
def test_no_statement_scans(tmp_path: Path, statement: str, values: tuple[object, ...]) -> None:
    """As SQLite's own plan has it."""
    with new_store(tmp_path) as store:
        plan = [row[3] for row in store.rows(f"explain query plan {statement}", values)]
    assert plan
    assert not [line for line in plan if line.startswith("SCAN")]
