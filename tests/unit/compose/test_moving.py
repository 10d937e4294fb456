"""What counterseal.toml says after the store was moved."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from counterseal.compose.moving import _configuration
from counterseal.config.settings import StoreSettings

BEFORE = "# mine\n[serve]\nnames = ['a']\n"


@pytest.mark.parametrize("name", ["password", 'pass "word"', "back\\slash", "caf\u00e9", "d\x7fl"])
def test_the_store_is_named_whatever_its_file_is_called(tmp_path: Path, name: str) -> None:
    """And every other line stays as it is."""
    (tmp_path / "counterseal.toml").write_text(BEFORE)
    store = StoreSettings("postgresql://ca@/ca?host=/run", Path("/etc") / name)
    written = _configuration(tmp_path, store).content.decode()
    assert tomllib.loads(written)["store"] == {"url": store.url, "password_file": f"/etc/{name}"}
    assert written.endswith(BEFORE)
