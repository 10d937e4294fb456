"""Every case of x509-limbo, and none that differs without its reason on the page."""

from __future__ import annotations

import pytest

from limbo import PAGE, explained, read_cases, row, score, without_contradictions, without_pedantic

pytestmark = pytest.mark.slow


def test_every_difference_is_explained() -> None:
    """All 9,780 cases are asked; the differences are those of docs/limbo.md, and its figures are these."""
    scored = list(score(read_cases(), ask_library=True))
    assert len(scored) == 9780
    assert {one.name for one in scored if one.ours != one.expected} == explained()
    page = PAGE.read_text()
    assert row("counterseal", ((one.expected, one.ours) for one in scored)) in page
    assert row("counterseal, contradictions set aside", map(without_contradictions, scored)) in page
    assert row("counterseal, without what the library's own run leaves out", map(without_pedantic, scored)) in page
    assert [one.name for one in scored if one.ours and not one.expected and one.library is False] == []
