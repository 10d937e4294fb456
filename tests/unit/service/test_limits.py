"""Buckets of tokens: what may come at once, and how long to wait for the next."""

from __future__ import annotations

from counterseal.service.limits import CALLERS_KEPT, Limits


def test_half_a_minute_at_once_then_one_by_one() -> None:
    """60 a minute: thirty at once, then one a second; another caller has his own."""
    limits = Limits(60)
    assert [limits.take("a", 0.0) for _ in range(31)] == [0] * 30 + [1]
    assert limits.take("b", 0.0) == 0
    assert [limits.take("a", 1.0), limits.take("a", 1.0)] == [0, 1]
    assert [limits.take("a", 1000.0) for _ in range(31)][-2:] == [0, 1]


def test_the_wait_is_in_whole_seconds() -> None:
    """At two a minute the next one comes after 30 s."""
    limits = Limits(2)
    assert [limits.take("a", 0.0), limits.take("a", 0.0), limits.take("a", 29.5)] == [0, 30, 1]


def test_no_limit() -> None:
    """0 is none."""
    limits = Limits(0)
    assert not any(limits.take("a", 0.0) for _ in range(10_000))


def test_memory_is_bounded() -> None:
    """However many callers there are."""
    limits = Limits(60)
    for number in range(CALLERS_KEPT + 10):
        limits.take(str(number), 0.0)
    assert len(limits._buckets) == CALLERS_KEPT
