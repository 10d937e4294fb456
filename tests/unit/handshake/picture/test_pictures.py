"""The pictures are well-formed, hold every message, and no text from outside becomes markup."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from captured import CASES, captured_case, captured_names
from counterseal.handshake.picture.diagram import WIDTH, draw
from counterseal.handshake.picture.page import write_page
from counterseal.handshake.picture.style import _DARK, _LIGHT
from explained import AT, shown

if TYPE_CHECKING:
    from counterseal.handshake.explain.sheet import Sheet

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert('x')</script>]]>&amp;\"'"
ANSWER = f"HTTP/1.1 400 {HOSTILE}\r\nServer: {HOSTILE}\r\nContent-Length: 0\r\n\r\n".encode()


def lines_of(svg: str) -> list[str]:
    """Return the text of an SVG, line by line; fails when it is not well-formed."""
    root = ET.fromstring(svg)  # noqa: S314 - our own text
    return ["".join(one.itertext()) for one in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("case", CASES)
def test_the_diagram_holds_every_message(case: str) -> None:
    """In their order, with what it came to at the end, inside the picture's width."""
    svg = draw(shown(case))
    names = [line.lstrip("\N{WARNING SIGN} ").partition(" ")[0] for line in lines_of(svg)]
    positions = [names.index(name) for name in dict.fromkeys(captured_names(case))]
    assert positions == sorted(positions)
    places = [int(x) for x in re.findall(r'<text x="(\d+)"', svg)]
    assert 0 < min(places) <= max(places) < WIDTH


def test_the_verdict_stands_in_the_picture() -> None:
    """What happened, why, and what mends it."""
    text = " ".join(lines_of(draw(shown("nginx-1.3-mutual"))))
    assert "nginx answers 400 The SSL certificate error (495 inside)" in text
    assert "set error_log to level info" in text
    assert "client SSL certificate verify error" in text


@pytest.mark.parametrize("whole", [draw, lambda sheet: write_page(sheet, at=AT)], ids=["svg", "html"])
def test_text_from_outside_stays_text(whole: object) -> None:
    """The SNI, the answer's reason and its headers, each with markup in it."""
    assert callable(whole)
    sheet = hostile(shown("nginx-1.3-mutual", answer=ANSWER, server_name=HOSTILE))
    made = whole(sheet)
    assert "<script" not in made
    assert "&lt;script&gt;" in made


def hostile(sheet: Sheet) -> Sheet:
    """Put markup into every rung and every own word of the peer."""
    rungs = tuple(replace(rung, name=HOSTILE, fields=((HOSTILE, HOSTILE),)) for rung in sheet.ladder)
    return replace(sheet, ladder=rungs)


def test_the_page_is_whole_and_loads_nothing() -> None:
    """No address, no script; the policy forbids both."""
    page = write_page(shown("nginx-1.2-mutual"), at=AT)
    assert re.findall(r"(?:src|href|url)\s*[=(]", page) == []
    assert set(re.findall(r"https?://[^\"' <]+", page)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in page
    assert page.count("<details>") == len(shown("nginx-1.2-mutual").ladder)


def test_where_nothing_went_by_it_says_so() -> None:
    """As when nobody listens: no list of messages without any."""
    sheet = replace(shown("nginx-1.3-mutual"), ladder=())
    assert "no message went by" in lines_of(draw(sheet))
    assert "Every message" not in write_page(sheet, at=AT)


def test_nothing_secret_is_in_a_picture() -> None:
    """Neither tickets nor signatures nor the encrypted secret: no long hex but randoms and serial numbers."""
    sheet = shown("openssl-1.2-rsa")
    ticket = captured_case("openssl-1.2-rsa")[7].octets
    for made in (draw(sheet), write_page(sheet, at=AT)):
        assert ticket[20:40].hex() not in made.lower()
        assert max(map(len, re.findall(r"[0-9a-fA-F]{41,}", made)), default=0) in {0, 64}  # a random has 32 bytes


@pytest.mark.parametrize("tints", [_LIGHT, _DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "muted", "readable", "hidden", "web", "alarm"])
def test_text_can_be_read_on_its_ground(tints: dict[str, str], ink: str) -> None:
    """Contrast of 4.5 to 1 on every ground that the text stands on (WCAG 2.2, 1.4.3)."""
    for ground in ("ground", "panel", "hidden-band", "alarm-band"):
        lighter, darker = sorted((luminance(tints[ink]), luminance(tints[ground])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, ground


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb``."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
