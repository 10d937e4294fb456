"""Waiting against a deadline, on a clock that a test turns."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from counterseal.nginx.waiting import Clock, wait_until


class TurnedClock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.time = 0.0

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.time += seconds

    def as_clock(self) -> Clock:
        """Return it in the shape that the code takes."""
        return Clock(now=lambda: datetime.fromtimestamp(self.time, UTC), monotonic=lambda: self.time, sleep=self.sleep)


@pytest.mark.parametrize(("holds_at", "within", "held"), [(0.0, 0.0, True), (0.5, 1.0, True), (2.0, 1.0, False)])
def test_a_condition_is_waited_for_until_the_deadline(holds_at: float, within: float, *, held: bool) -> None:
    """It is looked at once even when there is no time, and no longer than allowed."""
    turned = TurnedClock()
    assert wait_until(lambda: turned.time >= holds_at, within=within, clock=turned.as_clock()) is held
    assert turned.time <= within + 0.02
