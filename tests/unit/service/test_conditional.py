"""What a client has already is not sent again, and no cache keeps anything beyond its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given as each
from hypothesis import strategies as st
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
        ({"if-modified-since": "Fri, 01 May 2026 11:00:01 GMT"}, False),
        ({"if-modified-since": "soon"}, False),
        ({"if-modified-since": ""}, False),
        ({"if-modified-since": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}, False),
        ({"if-modified-since": "Mon, 01 Jan 2020 00:00:00 +99999999999999999999"}, False),
        ({"if-none-match": '"6"', "if-modified-since": "Fri, 01 May 2026 11:00:00 GMT"}, False),
    ],
)
def test_the_conditions(given: dict[str, str], expected: bool) -> None:  # noqa: FBT001 - a table
    """With a tag the date does not count, and one that was never sent says nothing."""
    assert has_already(asking(**given), HEADERS) is expected


def test_without_a_date_only_the_tag_counts() -> None:
    """Neither the date of a list that has it in common with another, nor that of what is not dated, says anything."""
    date = HEADERS["Last-Modified"]
    without = cache_headers("7", None, NOW, until=NOW + timedelta(days=1), longest=300)
    assert "Last-Modified" not in without
    for given in ({}, {"if-modified-since": date}, {"if-modified-since": ""}):
        assert not has_already(asking(**given), without)
        assert not has_already(asking(**given), HEADERS, dated=False)
    assert has_already(asking(**{"if-none-match": '"7"'}), HEADERS, dated=False)


DATES = st.text(st.characters(max_codepoint=255)) | st.from_regex(
    r"[A-Z][a-z]{2}, [0-9]{1,25} [A-Z][a-z]{2} [0-9]{1,25} [0-9:]{1,25} ([+-][0-9]{1,25}|GMT)", fullmatch=True
)


@each(value=DATES)
def test_any_date_is_an_answer(value: str) -> None:
    """Whatever a client writes."""
    assert has_already(asking(**{"if-modified-since": value}), HEADERS) is (value == HEADERS["Last-Modified"])


def asking(**given: str) -> Request:
    """Return a request with these headers."""
    return Request({"type": "http", "headers": [(name.encode(), one.encode("latin-1")) for name, one in given.items()]})


def test_no_date_is_sent_that_a_clock_ahead_has_written() -> None:
    """RFC 9110 8.8.2.1."""
    ahead = cache_headers("7", NOW + timedelta(seconds=2), NOW, until=NOW + timedelta(days=1), longest=300)
    assert "Last-Modified" not in ahead


@pytest.mark.parametrize(("left", "seconds"), [(86_400, 300), (120, 120), (-5, 0)])
def test_no_longer_than_it_holds(left: int, seconds: int) -> None:
    """What has ended is not kept at all."""
    headers = cache_headers("7", NOW, NOW, until=NOW + timedelta(seconds=left), longest=300)
    assert f"max-age={seconds}," in headers["Cache-Control"]
    assert headers["Expires"] == (NOW + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")
