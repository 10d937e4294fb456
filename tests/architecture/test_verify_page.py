"""The page of ``verify`` lists every check as the catalogue has it."""

from __future__ import annotations

from architecture.source_tree import ROOT
from counterseal.pki.path.catalogue import KINDS


def test_the_page_lists_every_check() -> None:
    """Code, title, section, meaning and fix of each, in their order."""
    rows = [line for line in (ROOT / "docs" / "verify.md").read_text().splitlines() if line.startswith("| `")]
    expected = [f"| `{kind.code}` | {kind.title} | {kind.section} | {kind.meaning} | {kind.fix} |" for kind in KINDS]
    assert rows[: len(expected)] == expected
