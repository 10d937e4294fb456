"""The page about the proof and the rows that exist agree."""

from __future__ import annotations

import re

from architecture.source_tree import ROOT
from counterseal.handshake.catalogue import CATALOGUE
from counterseal.handshake.rows import RowKind

PAGE = (ROOT / "docs" / "proof.md").read_text()


def test_every_kind_of_row_is_on_the_page_under_its_title() -> None:
    """In the order of the table, none too many."""
    rows = re.findall(r"^\| (.+?) \(`([a-z0-9-]+)`\) \|", PAGE, re.MULTILINE)
    assert {kind: title for title, kind in rows} == {kind.value: CATALOGUE[kind].title for kind in RowKind}
