"""Timelines for the tests of how they are drawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from counterseal.authority.timeline.gather import Count, Kind, Span, State, Timeline
from counterseal.authority.timeline.scale import STEPS

if TYPE_CHECKING:
    from collections.abc import Sequence

AT = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def span(kind: Kind, name: str, days: float, state: State = State.FINE) -> Span:
    """Return something that expires so many days after ``AT``."""
    end = AT + days * DAY
    return Span(kind, name, "note", AT - DAY, end, AT + (end - AT) / 2, state)


def timeline(*counts: Count, spans: Sequence[Span] = ()) -> Timeline:
    """Return what is drawn of these, as seen at ``AT``."""
    return Timeline(AT, tuple(spans), (AT, *(AT + step for step in STEPS.values())), counts)


SPANS = (
    span(Kind.CA, "root", 3650),
    span(Kind.CRL, "root", -0.5, State.EXPIRED),
    span(Kind.SITE, "panel", 20, State.DUE),
    span(Kind.CERTIFICATE, 'a<b>&"\x1b[31m', 90),
)
COUNTS = Count("client", (0, 0, 12, 345_678, 2_500_000, 0, 0, 0, 0, 0, 7))
FULL = timeline(COUNTS, spans=SPANS)
CROWDED = timeline(
    *(Count(name, (9_999_999,) * (len(STEPS) + 1)) for name in ("client", "W" * 40)),
    spans=[span(kind, "W" * 60, days, State.EXPIRED) for kind in Kind for days in (-9999.9, 9999.9)],
)
"""Everything as wide as it can be."""
