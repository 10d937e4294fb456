"""The axis of a timeline: time from now on, logarithmic, so that a list of days and a root of decades are both seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import log1p

DAY = timedelta(days=1)
STEPS = {
    "1d": DAY,
    "1w": 7 * DAY,
    "1m": 30 * DAY,
    "3m": 90 * DAY,
    "6m": 180 * DAY,
    "1y": 365 * DAY,
    "2y": 730 * DAY,
    "5y": 1826 * DAY,
    "10y": 3652 * DAY,
    "25y": 9131 * DAY,
}
"""The named moments of the axis, by how far they are ahead."""


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from now to ``horizon`` ahead."""

    horizon: timedelta

    def position(self, ahead: timedelta) -> float:
        """Return where a moment lies, from 0 for now to 1 for the horizon; what is past lies at 0."""
        share = log1p(max(ahead, timedelta()) / DAY) / log1p(self.horizon / DAY)
        return min(share, 1.0)

    @property
    def ticks(self) -> tuple[tuple[str, float], ...]:
        """The named moments on the axis, with their positions."""
        return (("now", 0.0), *((name, self.position(step)) for name, step in STEPS.items() if step <= self.horizon))
