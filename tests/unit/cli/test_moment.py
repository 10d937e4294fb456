"""A moment is taken as people write it, and nothing is guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from counterseal.cli.moment import parse_moment
from counterseal.errors import InputError

NOW = datetime(2026, 11, 27, 10, 30, tzinfo=UTC)
NOON = datetime(2027, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2027-01-31", NOON - timedelta(hours=12)),
        ("2027-01-31T12:00", NOON),
        (" 2027-01-31 12:00:00 ", NOON),
        ("2027-01-31T12:00Z", NOON),
        ("2027-01-31T13:00:00.0+01:00", NOON),
        ("2027-01-31T07:00-0500", NOON),
        ("Jan 31 12:00:00 2027 GMT", NOON),
        ("Jan  1 12:00:00 2027 GMT", NOON - timedelta(days=30)),
        ("1801396800", NOON),
        ("+30d", NOW + timedelta(days=30)),
        ("-2H", NOW - timedelta(hours=2)),
    ],
)
def test_a_moment_is_read(text: str, expected: datetime) -> None:
    """In UTC unless it says otherwise."""
    found = parse_moment(text, NOW)
    assert found == expected
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2027-1-31",
        "2027-02-30",
        "31.01.2027",
        "20270131120000Z",
        "2027-W04-7",
        "2027-01-31T25:00",
        "Feb 30 12:00:00 2027 GMT",
        "0001-01-01T00:00+14:00",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    """With what it was, and how to write it."""
    with pytest.raises(InputError, match="not a moment") as caught:
        parse_moment(text, NOW)
    assert caught.value.code == "time.form"
    assert "+30d" in (caught.value.hint or "")
