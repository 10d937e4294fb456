"""What expires when: gathered without reading every row, and drawn for a terminal, a pipe and a browser."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from counterseal.authority.timeline.scale import STEPS, Scale
from counterseal.authority.timeline.svg import to_svg
from counterseal.cli.timeline_text import drawing, table
from timelines import DAY, FULL, SPANS, timeline

SVG = "{http://www.w3.org/2000/svg}"


def test_the_axis_begins_now_and_grows_slower_and_slower() -> None:
    """From 0 to 1; what is past lies at its beginning, what is beyond at its end."""
    scale = Scale(3650 * DAY)
    positions = [scale.position(step * DAY) for step in (-5, 0, 1, 7, 30, 365, 3650, 9999)]
    assert positions == sorted(positions)
    assert (positions[0], positions[1], positions[-2], positions[-1]) == (0, 0, 1, 1)
    assert [name for name, _ in Scale(40 * DAY).ticks] == ["now", "1d", "1w", "1m"]


def test_the_horizon_reaches_the_last_end() -> None:
    """Of what is drawn and of what is counted; the period without end counts as far again as it is away."""
    assert FULL.horizon > 2 * STEPS["25y"]
    assert timeline(spans=SPANS).horizon < 4000 * DAY
    assert timeline().horizon > 7 * DAY


@pytest.mark.parametrize("width", [60, 80, 132, 240])
def test_a_drawing_fits_into_its_width(width: int) -> None:
    """No line is wider than the terminal, colours aside, and none holds a control character of somebody's name."""
    lines = [re.sub(r"\x1b\[\d+m", "", line) for line in drawing(FULL, width=width).splitlines()]
    assert max(map(len, lines)) <= width
    assert not any("\x1b" in line for line in lines)
    assert sum("━" in line or "✗" in line for line in lines) == len(SPANS)


def test_a_table_has_a_line_for_each_thing() -> None:
    """With the state in a word, for grep, and every count."""
    text = table(FULL)
    assert re.search(r"^crl +expired +2026-05-31 12:00 +expired +root", text, re.MULTILINE)
    assert re.search(r"^site +due ", text, re.MULTILINE)
    assert "2500000" in text
    assert "\x1b" not in text


def test_a_picture_is_one_file_that_says_in_text_what_it_shows() -> None:
    """Well-formed whatever the names; titled; light and dark; with nothing fetched from elsewhere."""
    text = to_svg(FULL)
    root = ET.fromstring(text)  # noqa: S314 - our own
    titles = [title.text or "" for title in root.iter(f"{SVG}title")]
    assert root.attrib["role"] == "img"
    assert "the list of CA root is expired; the certificate of site panel is due" in str(root.findtext(f"{SVG}desc"))
    assert any("2,500,000 client certificates expire from 2026-08-30" in title for title in titles)
    assert "prefers-color-scheme: dark" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    shown = [one.text or "" for one in root.iter(f"{SVG}text")]
    assert {"2.5M", "346k", "12"} <= set(shown)


def test_nothing_is_drawn_as_nothing() -> None:
    """A CA without certificates and lists still has an axis."""
    assert "now" in drawing(timeline(), width=80)
    assert ET.fromstring(to_svg(timeline())).tag == f"{SVG}svg"  # noqa: S314 - our own
