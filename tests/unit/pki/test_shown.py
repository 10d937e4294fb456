"""One CA, two CAs."""

from __future__ import annotations

from counterseal.pki.shown import counted, has_control


def test_the_noun_goes_with_the_number() -> None:
    """With an s, or the plural that is given."""
    assert [counted(number, "CA") for number in (0, 1, 2, 12_000)] == ["0 CAs", "1 CA", "2 CAs", "12,000 CAs"]
    assert [counted(number, "entry", "entries") for number in (1, 2)] == ["1 entry", "2 entries"]


def test_joiners_are_letters_of_some_scripts() -> None:
    """Persian and the scripts of India are written with them; with a space without width nothing is."""
    assert not has_control("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645")
    assert not has_control("\u0915\u094d\u200d\u0937")
    assert has_control("alice\u200b")
