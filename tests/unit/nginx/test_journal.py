"""The journal: read back as written, refused when damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.errors import DeployError
from counterseal.nginx.journal import Journal, Step, read_journal, remove_journal, write_journal

if TYPE_CHECKING:
    from pathlib import Path


def test_a_journal_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """Every field survives, and a removed one is no journal."""
    path = tmp_path / "journal.json"
    assert read_journal(path) is None
    for journal in (
        Journal(previous=None, new=1, running=False, include_file="/etc/nginx/conf.d/counterseal.conf"),
        Journal(previous=3, new=4, running=True, step=Step.PROVEN),
    ):
        write_journal(path, journal)
        assert read_journal(path) == journal
    remove_journal(path)
    assert read_journal(path) is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"previous": 1}', b'{"previous":1,"new":2,"running":true,"step":"x"}']
)
def test_a_damaged_journal_is_refused_with_a_way_out(tmp_path: Path, content: bytes) -> None:
    """It is never taken for "nothing to do"."""
    path = tmp_path / "journal.json"
    path.write_bytes(content)
    with pytest.raises(DeployError) as caught:
        read_journal(path)
    assert caught.value.code == "deploy.journal_unreadable"
    assert "remove the journal" in (caught.value.hint or "")
