"""What is read once, as long as nothing is committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from access_lab import open_authority
from counterseal.service.remembered import Remembered
from store_fixtures import new_store

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.authority.parts import Authority


def test_what_is_not_there_is_not_remembered(tmp_path: Path) -> None:
    """Who asks needs no key, so memory would grow by whatever strangers think of."""
    new_store(tmp_path).close()
    asked: list[str] = []

    def recall(subject: str, found: str | None) -> str | None:
        def job(_authority: Authority) -> str | None:
            asked.append(subject)
            return found

        return remembered.recall(subject, job)

    with open_authority(tmp_path) as reader:
        remembered = Remembered(reader)
        assert [recall("account a", "a"), recall("account a", None)] == ["a", "a"]
        assert [recall("account b", None), recall("account b", None)] == [None, None]
        assert remembered._kept == {"account a": "a"}
    assert asked == ["account a", "account b", "account b"]
