"""The ladder as a sequence diagram in SVG: two lifelines, an arrow a message, the encrypted part on a band of its own.

Text in SVG does not wrap, so lines are broken, and names cut, by what they will be wide (``measure``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from counterseal.handshake.explain.fields import shorten
from counterseal.handshake.explain.ladder import Layer
from counterseal.handshake.picture.measure import fitted, width_of, wrapped
from counterseal.handshake.picture.style import DIAGRAM, FACES, colours
from counterseal.handshake.wire.messages import Side

if TYPE_CHECKING:
    from counterseal.handshake.explain.ladder import Rung
    from counterseal.handshake.explain.sheet import Sheet

WIDTH = 980
_CLIENT, _SERVER = 130, 900
_TEXT = _CLIENT + 20
_LINE = _SERVER - _TEXT - 10
_NAME = _LINE - 80  # beside it stands "encrypted"
_END = 250
_MOST_FIELD_LINES = 8
_SPACE = "\N{NO-BREAK SPACE}"
_INDENT = 4 * _SPACE
_LEFT_OUT = frozenset({"random", "other extensions", "signature algorithms", "keyed hash", "signature", "ticket"})
"""Fields that a picture can do without; text and JSON have them."""


@dataclass(slots=True)
class _Canvas:
    """What has been drawn, and how far down."""

    y: int = 0
    shapes: list[str] = field(default_factory=list)

    def text(self, x: int, kind: str, content: str, *, down: int) -> None:
        """Write a line ``down`` pixels below the last one; ``content`` is markup already."""
        self.y += down
        self.shapes.append(f'<text x="{x}" y="{self.y}" class="{kind}">{content}</text>')


def draw(sheet: Sheet, *, whole: bool = True) -> str:
    """Return the diagram as an SVG document; without ``whole`` title and verdict are left to the page around it."""
    body, height = _draw(sheet, whole=whole)
    style = colours(".handshake") + DIAGRAM
    name = escape(sheet.title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="handshake" role="img" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" aria-label="{name}"><style>{style}</style>{body}</svg>\n'
    )


def _draw(sheet: Sheet, *, whole: bool) -> tuple[str, int]:
    canvas = _Canvas()
    if whole:
        canvas.y += 16
        for line in wrapped(sheet.title, WIDTH - 60, FACES["title"]):
            canvas.text(30, "title", escape(line), down=24)
        canvas.text(30, "agreed", escape(agreed_line(sheet)), down=22)
    canvas.y += 18
    top = _ends(canvas, sheet)
    behind, canvas.shapes = canvas.shapes, []
    bands: list[tuple[int, int]] = []
    if not sheet.ladder:
        canvas.text(_TEXT, "meaning", "no message went by", down=24)
    for rung in sheet.ladder:
        start = canvas.y
        _rung(canvas, rung)
        if rung.encrypted:
            bands = _grow(bands, start, canvas.y)
    canvas.y += 12
    life = f'<path class="life" d="M{_CLIENT} {top}V{canvas.y}M{_SERVER} {top}V{canvas.y}"/>'
    if whole:
        canvas.y += 14
        _verdict(canvas, sheet)
    height = canvas.y + 24
    ground = f'<rect class="ground" width="{WIDTH}" height="{height}"/>'
    return "".join([ground, *behind, *map(_band, bands), life, *canvas.shapes]), height


def _ends(canvas: _Canvas, sheet: Sheet) -> int:
    """Draw the heads of the two lifelines and return where the lines begin."""
    top = canvas.y
    for x, texts in zip((_CLIENT, _SERVER), (sheet.client, sheet.server), strict=True):
        left = min(max(x - _END // 2, 30), WIDTH - 30 - _END)
        canvas.shapes.append(f'<rect class="end" x="{left}" y="{top}" width="{_END}" height="46" rx="8"/>')
        for kind, text, down in zip(("end-name", "end-place"), texts, (20, 37), strict=True):
            shown = escape(fitted(text, _END - 16, FACES[kind]))
            canvas.shapes.append(f'<text class="{kind}" x="{left + _END // 2}" y="{top + down}">{shown}</text>')
    canvas.y = top + 56
    return top + 46


def _rung(canvas: _Canvas, rung: Rung) -> None:
    kind = _kind(rung)
    size = f" {rung.size} bytes" if rung.size is not None else ""
    mark = "\N{WARNING SIGN} " if rung.alarming else ""
    name = fitted(mark + rung.name, _NAME - width_of(size, FACES["size"]), FACES["name"])
    shapes, canvas.shapes = canvas.shapes, []
    canvas.text(_TEXT, "name", f'{escape(name)}<tspan class="size">{size}</tspan>', down=24)
    if rung.at is not None:
        canvas.text(_CLIENT - 14, "time", f"{rung.at * 1000:.1f} ms", down=0)
    canvas.y += 10
    canvas.shapes.append(_arrow(rung.sender, canvas.y))
    canvas.y += 3
    for line in _meaning_lines(rung):
        canvas.text(_TEXT, "meaning", line, down=15)
    for line in _field_lines(rung):
        canvas.text(_TEXT, "field", escape(line), down=15)
    canvas.y += 10
    shapes.append(f'<g class="{kind}">{"".join(canvas.shapes)}</g>')
    canvas.shapes = shapes


def _kind(rung: Rung) -> str:
    if rung.alarming:
        return "alarm"
    if rung.layer is Layer.TLS:
        return "hidden" if rung.encrypted else "readable"
    return "web" if rung.layer is Layer.APPLICATION else "clear"


def _arrow(sender: Side, y: int) -> str:
    begin, end, back = (_CLIENT, _SERVER, -9) if sender is Side.CLIENT else (_SERVER, _CLIENT, 9)
    return f'<path class="arrow" d="M{begin} {y}H{end + back}"/><path class="head" d="M{end} {y}l{back} -5v10z"/>'


def _meaning_lines(rung: Rung) -> list[str]:
    """Return what the message means as markup, the section last and in one piece."""
    section = rung.section.replace(" ", _SPACE)
    *lines, last = wrapped(f"{rung.meaning} {section}", _LINE, FACES["meaning"])
    tail = f'<tspan class="section">{escape(section)}</tspan>'
    return [*map(escape, lines), escape(last.removesuffix(section)) + tail]


def _field_lines(rung: Rung) -> list[str]:
    lines: list[str] = []
    for label, value in rung.fields:
        if label not in _LEFT_OUT:
            indent = width_of(_INDENT, FACES["field"])
            first, *rest = wrapped(f"{label}: {shorten(value)}", _LINE - indent, FACES["field"])
            lines += [first, *(_INDENT + line for line in rest)]
    more = len(lines) - _MOST_FIELD_LINES
    return lines if more <= 1 else [*lines[:_MOST_FIELD_LINES], f"\N{HORIZONTAL ELLIPSIS} {more} more lines"]


def _grow(bands: list[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    if bands and bands[-1][1] == start:
        return [*bands[:-1], (bands[-1][0], end)]
    return [*bands, (start, end)]


def _band(band: tuple[int, int]) -> str:
    start, end = band
    return (
        f'<rect class="band" x="{_CLIENT}" y="{start + 4}" width="{_SERVER - _CLIENT}" height="{end - start}"/>'
        f'<text class="band-name" x="{_SERVER - 10}" y="{start + 20}">encrypted</text>'
    )


def _verdict(canvas: _Canvas, sheet: Sheet) -> None:
    """Draw the last box: what it came to, and where something failed why and what mends it."""
    top, shapes = canvas.y, canvas.shapes
    canvas.shapes = []
    for number, line in enumerate(wrapped(sheet.heading, WIDTH - 100, FACES["verdict"])):
        canvas.text(50, "verdict", escape(line), down=28 if number == 0 else 18)
    for label, value in sheet.rows:
        canvas.text(50, "label", escape(label), down=22)
        _paragraph(canvas, value)
    kind = "box alarm" if sheet.failed else "box"
    canvas.y += 16
    shapes.append(f'<rect class="{kind}" x="30" y="{top}" width="{WIDTH - 60}" height="{canvas.y - top}" rx="8"/>')
    canvas.shapes = [*shapes, *canvas.shapes]


def _paragraph(canvas: _Canvas, value: str) -> None:
    for number, line in enumerate(wrapped(value, WIDTH - 190, FACES["text"])):
        canvas.text(140, "text", escape(line), down=0 if number == 0 else 17)


def agreed_line(sheet: Sheet) -> str:
    """Return what was agreed on, in one line."""
    return " \N{MIDDLE DOT} ".join(sheet.agreed) or "no TLS version was agreed on"
