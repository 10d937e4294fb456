"""The page about the handshake and what --json prints agree."""

from __future__ import annotations

import re

from architecture.source_tree import ROOT
from counterseal.handshake.explain.modes import Mode
from counterseal.handshake.explanation_json import explanation_to_json
from counterseal.handshake.trace.dial import Ending, Stage
from explained import explained

PAGE = (ROOT / "docs" / "handshake.md").read_text()
TABLE = PAGE.partition("## JSON")[2]


def test_every_key_of_the_answer_is_on_the_page() -> None:
    """None more, none fewer."""
    keys = set(explanation_to_json(explained("nginx-1.3-mutual")))
    first_cells = re.findall(r"^\| (`.+?`) \|", TABLE, re.MULTILINE)
    assert {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)} == keys


def test_every_word_of_a_fixed_set_is_on_the_page() -> None:
    """How it ended, how far it came, and how client certificates are treated."""
    for words in (Ending, Stage, Mode):
        assert [word.value for word in words if f"`{word.value}`" not in TABLE] == []
