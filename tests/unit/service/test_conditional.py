"""What a client has already is not sent again, and no cache keeps anything beyond its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from starlette.requests import Request

from counterseal.service.conditional import cache_headers, has_already

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
HEADERS = cache_headers("7", NOW - timedelta(hours=1), NOW, until=NOW + timedelta(days=1), longest=300)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, False),
        ({"if-none-match": '"7"'}, True),
        ({"if-none-match": '"6", W/"7"'}, True),
        ({"if-none-match": "*"}, True),
        ({"if-none-match": "7"}, False),
        ({"if-modified-since": "Fri, 01 May 2026 11:00:00 GMT"}, True),
        ({"if-modified-since": "Fri, 01 May 2026 10:59:59 GMT"}, False),
        ({"if-modified-since": "Fri, 01 May 2026 11:00:00 -0000"}, True),
        ({"if-modified-since": "soon"}, False),
        ({"if-none-match": '"6"', "if-modified-since": "Fri, 01 May 2026 11:00:00 GMT"}, False),
    ],
)
def test_the_conditions(given: dict[str, str], expected: bool) -> None:  # noqa: FBT001 - a table
    """With a tag the date does not count."""
    raw = [(name.encode(), value.encode()) for name, value in given.items()]
    assert has_already(Request({"type": "http", "headers": raw}), HEADERS) is expected


@pytest.mark.parametrize(("left", "seconds"), [(86_400, 300), (120, 120), (-5, 0)])
def test_no_longer_than_it_holds(left: int, seconds: int) -> None:
    """What has ended is not kept at all."""
    headers = cache_headers("7", NOW, NOW, until=NOW + timedelta(seconds=left), longest=300)
    assert f"max-age={seconds}," in headers["Cache-Control"]
    assert headers["Expires"] == (NOW + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")
