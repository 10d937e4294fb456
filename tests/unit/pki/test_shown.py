"""One CA, two CAs."""

from __future__ import annotations

from counterseal.pki.shown import counted


def test_the_noun_goes_with_the_number() -> None:
    """With an s, or the plural that is given."""
    assert [counted(number, "CA") for number in (0, 1, 2, 12_000)] == ["0 CAs", "1 CA", "2 CAs", "12,000 CAs"]
    assert [counted(number, "entry", "entries") for number in (1, 2)] == ["1 entry", "2 entries"]
