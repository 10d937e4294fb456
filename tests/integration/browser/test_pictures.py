"""What people look at, in a real browser: handshakes as page and picture, timelines, what a refused client reads.

For each, in light and dark, as wide as a desk and as a telephone: no text beyond the page, its box or other text, no
short word torn apart, contrast enough to be read, and nothing loaded from anywhere (``page_faults.js``).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle, islice
from typing import TYPE_CHECKING, Literal

import pytest

from counterseal.authority.timeline.svg import to_svg
from counterseal.handshake.picture.diagram import draw
from counterseal.handshake.picture.page import write_page
from counterseal.nginx.render.pages import _PAGE
from counterseal.nginx.render.reasons import REASONS
from explained import AT, shown
from timelines import CROWDED, FULL

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.handshake.explain.sheet import Sheet
    from firefox import Firefox

pytestmark = pytest.mark.slow
DESK, TELEPHONE = 1200, 400
LONG_NAME = "a-panel-with-a-long-name.and-a-long-label-below.the-department.example-corporation.example.com"
FAULTY = """<!doctype html><title>wrong</title><script>nowhere.at.all()</script>
<img src="http://127.0.0.1:6/missing.png">
<p style="white-space:nowrap;font-size:900px">beyond</p>
<p style="color:#999">faint</p>
<p style="width:1px;overflow-wrap:anywhere">torn</p>
<p style="position:absolute;top:0">over</p><p style="position:absolute;top:0">other</p>
<svg><rect class="box" width="50" height="50" fill="#fff"/><text x="9" y="20">not in it</text></svg>
"""


def crowded() -> Sheet:
    """Return forty messages with long names, long values and many CAs."""
    sheet = shown("nginx-1.2-mutual", server_name=LONG_NAME)
    many = (("accepted CAs", "; ".join(f"CN={'W' * 60} {number}" for number in range(60))),)
    rungs = islice(cycle((*sheet.ladder, *shown("nginx-1.3-mutual").ladder)), 40)
    ladder = tuple(
        replace(rung, name=rung.name if at % 2 else "M" * 200, at=599.9 + at, fields=(*rung.fields, *many))
        for at, rung in enumerate(rungs)
    )
    place = "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535"
    rows = (*sheet.rows, ("cause", "W" * 300))
    return replace(
        sheet, ladder=ladder, client=("W" * 60, "\N{GRINNING FACE}" * 60), server=(LONG_NAME, place), rows=rows
    )


def error_page() -> str:
    """Return what nginx makes of the longest reason."""
    reason = max(REASONS, key=lambda reason: len(reason.text))
    words = {"$counterseal_title": reason.title, "$counterseal_text": reason.text, "$counterseal_code": "495"}
    page = _PAGE
    for name, value in words.items():
        page = page.replace(name, value)
    return page


DOCUMENTS = {
    "mutual.svg": lambda: draw(shown("nginx-1.2-mutual")),
    "crowded.svg": lambda: draw(crowded()),
    "timeline.svg": lambda: to_svg(FULL),
    "crowded-timeline.svg": lambda: to_svg(CROWDED),
    "arrived.html": lambda: write_page(shown("chromium-1.3-arrives"), at=AT),
    "mutual.html": lambda: write_page(shown("nginx-1.3-mutual"), at=AT),
    "crowded.html": lambda: write_page(crowded(), at=AT),
    "refused.html": error_page,
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_looks_right(browser: Firefox, tmp_path: Path, scheme: Literal["light", "dark"]) -> None:
    """A picture that is wider than its window is scrolled or shrunk; a page fits, all its messages unfolded."""
    browser.prefer(scheme)
    found = {}
    for name, made in DOCUMENTS.items():
        (tmp_path / name).write_text(made())
        for width in (DESK, TELEPHONE) if name.endswith(".html") else (DESK,):
            browser.width(width)
            browser.open((tmp_path / name).as_uri())
            browser.ask("for (const one of document.querySelectorAll('details')) one.open = true")
            found[name, width] = browser.faults()
    assert not any(found.values()), found


def test_what_is_wrong_is_seen(browser: Firefox, tmp_path: Path) -> None:
    """Each kind of fault, on a page that has them all."""
    (tmp_path / "faulty.html").write_text(FAULTY)
    browser.prefer("light")
    browser.width(DESK)
    browser.open((tmp_path / "faulty.html").as_uri())
    found = " ".join(browser.faults())
    for kind in (
        'outside: "beyond"',
        "the page is ",
        'torn: "torn"',
        'on each other: "over" and "other"',
        'across the edge of box: "not in it"',
        ': "faint"',
        "loads http://127.0.0.1:6/missing.png",
        "nowhere is not defined",
    ):
        assert kind in found
