"""The doctor's page on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from counterseal.authority.doctor.check import State, attention, ok
from counterseal.cli import doctor

if TYPE_CHECKING:
    import pytest

CHECKS = (
    ok("store", "", "store.sqlite, 0.3 MB: every page and index is whole"),
    attention(
        "timer", "", "nothing calls counterseal refresh: lists and certificates grow old", "counterseal timer install"
    ),
)


def test_long_lines_are_broken_in_their_column(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a narrow terminal; in a pipe each stays one line."""
    monkeypatch.setattr(doctor, "terminal_width", lambda: 60)
    assert [click.unstyle(line) for line in doctor._page(CHECKS, State.ATTENTION)] == [
        "ok         store  store.sqlite, 0.3 MB: every page and index",
        "                  is whole",
        "attention  timer  nothing calls counterseal refresh: lists",
        "                  and certificates grow old",
        "                  mend: counterseal timer install",
        "0 broken, 1 needs attention, 1 ok",
    ]
    monkeypatch.setattr(doctor, "terminal_width", lambda: None)
    assert len(list(doctor._page(CHECKS, State.ATTENTION))) == 4
