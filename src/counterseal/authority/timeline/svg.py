"""A timeline as one SVG file that needs nothing else: light and dark as the reader's system is, and readable as text.

Colours are a style sheet inside the file, with one rule for each state; whatever is drawn has a title that says it.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from counterseal.authority.timeline.gather import Kind, State
from counterseal.authority.timeline.scale import Scale
from counterseal.duration import show_duration
from counterseal.handshake.picture.measure import Face, fitted
from counterseal.moments import show_moment
from counterseal.pki.shown import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.authority.timeline.gather import Count, Span, Timeline

_WIDTH, _LEFT, _RIGHT = 1060, 260, 255
_ROW, _HEADING, _TOP, _COUNT_ROW = 22, 34, 64, 46
_CHART = _WIDTH - _LEFT - _RIGHT
_FACE, _SOFT_FACE, _NAME_WIDTH = Face(13), Face(12), 26
_LABEL, _WHEN = _LEFT - 28 - 12, _RIGHT - 14 - 8
_STYLE = """
  svg { --ink: #1b1f24; --soft: #5c6570; --line: #d9dee4; --paper: #ffffff;
        --fine: #2e7d4f; --due: #9a5b00; --expired: #c62828; --bar: #4a6fa5; }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e6e9ed; --soft: #9aa4af; --line: #363d46; --paper: #14171b;
          --fine: #5bbf83; --due: #e0a040; --expired: #f07070; --bar: #86a9dc; } }
  svg { background: var(--paper); }
  text { font: 13px system-ui, sans-serif; fill: var(--ink);
         paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
  .soft { fill: var(--soft); font-size: 12px; } .middle { text-anchor: middle; }
  .head { font-weight: 600; } .title { font-size: 17px; font-weight: 600; }
  .paper { fill: var(--paper); } .grid { stroke: var(--line); } .bar { fill: var(--bar); }
  .fine { fill: var(--fine); } .due { fill: var(--due); } .expired { fill: var(--expired); }
  .mark { fill: var(--paper); stroke: var(--ink); stroke-width: 1.5; }
"""
HEADINGS = {
    Kind.CA: "CAs",
    Kind.CRL: "Revocation lists",
    Kind.SITE: "Sites",
    Kind.CERTIFICATE: "Certificates that expire next",
}

_WORDS = {
    Kind.CA: "CA",
    Kind.CRL: "the list of CA",
    Kind.SITE: "the certificate of site",
    Kind.CERTIFICATE: "certificate",
}
_FOUR_DIGITS, _MILLION = 10_000, 1_000_000


def to_svg(timeline: Timeline) -> str:
    """Return the timeline as the text of an SVG file."""
    scale = Scale(timeline.horizon)
    body, height = [], _TOP
    for kind, heading in HEADINGS.items():
        spans = timeline.of(kind)
        if not spans:
            continue
        body.append(_text(16, height + 22, heading, "head"))
        height += _HEADING
        for span in spans:
            body += _span(timeline, span, scale, height)
            height += _ROW
    if timeline.counts:
        body.append(_text(16, height + 22, f"All {timeline.total:,} valid certificates, by when they expire", "head"))
        height += _HEADING
        for count in timeline.counts:
            body += _count(timeline, count, scale, height)
            height += _COUNT_ROW
    body += _legend(height + 20)
    height += 36
    return "\n".join([*_begin(timeline, height), *_axis(scale, height), *body, "</svg>", ""])


def _begin(timeline: Timeline, height: int) -> Iterator[str]:
    worst = [span for span in timeline.spans if span.state is not State.FINE]
    told = "; ".join(f"{_called(span)} is {span.state}" for span in worst) or "nothing is due"
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="t d">'
    yield f'<title id="t">What expires when, seen on {show_moment(timeline.at)}</title>'
    yield f'<desc id="d">{_escaped(told)}</desc>'
    yield f"<style>{_STYLE}</style>"
    yield f'<rect class="paper" width="{_WIDTH}" height="{height}"/>'
    yield _text(16, 28, f"What expires when, from {show_moment(timeline.at)} on", "title")


def _axis(scale: Scale, height: int) -> Iterator[str]:
    taken = -100.0
    for name, position in scale.ticks:
        x = _x(position)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 6}" y2="{height - 34}"/>'
        if x - taken >= _NAME_WIDTH:
            yield _text(x, _TOP - 12, name, "soft middle")
            taken = x


def _legend(y: int) -> Iterator[str]:
    yield f'<circle class="mark" cx="{_LEFT + 6}" cy="{y - 4}" r="4"/>'
    yield _text(_LEFT + 16, y, "from here on due to be replaced; time runs logarithmically", "soft")


def _span(timeline: Timeline, span: Span, scale: Scale, y: int) -> Iterator[str]:
    ahead = span.end - timeline.at
    left = show_duration(ahead) if span.state is not State.EXPIRED else f"expired {show_duration(-ahead)} ago"
    width = max(_CHART * scale.position(ahead), 3)
    yield f"<g><title>{_escaped(f'{_called(span)}, until {show_moment(span.end)}, {left}, {span.state}')}</title>"
    yield _label(y + 15, f"{span.name}  ({span.note})" if span.note else span.name)
    yield f'<rect class="{span.state}" x="{_LEFT}" y="{y + 5}" width="{width:.1f}" height="12" rx="3"/>'
    if span.due is not None and span.state is State.FINE:
        x = _x(scale.position(span.due - timeline.at))
        due = f"due to be replaced on {span.due:%Y-%m-%d %H:%M}"
        yield f'<circle class="mark" cx="{x:.1f}" cy="{y + 11}" r="4"><title>{due}</title></circle>'
    when = fitted(f"{span.end:%Y-%m-%d}  {left}", _WHEN, _SOFT_FACE)
    yield _text(_WIDTH - _RIGHT + 14, y + 15, when, "soft" if span.state is State.FINE else f"soft {span.state}")
    yield "</g>"


def _count(timeline: Timeline, count: Count, scale: Scale, y: int) -> Iterator[str]:
    yield _label(y + 36, f"{count.profile}: {count.total:,}")
    most = max(count.counts)
    for number, many in enumerate(count.counts):
        if not many:
            continue
        begin, end = timeline.period(number)
        x1, x2 = (_x(scale.position(moment - timeline.at)) for moment in (begin, end))
        tall = max(26 * many / most, 2)
        words = f"{many:,} {count.profile} certificates expire from {begin:%Y-%m-%d} to {end:%Y-%m-%d}"
        yield f"<g><title>{_escaped(words)}</title>"
        yield (
            f'<rect class="bar" x="{x1 + 1:.1f}" y="{y + 40 - tall:.1f}" width="{max(x2 - x1 - 2, 1):.1f}" '
            f'height="{tall:.1f}"/>'
        )
        yield _text((x1 + x2) / 2, y + 34 - tall, _brief(many), "soft middle")
        yield "</g>"


def _called(span: Span) -> str:
    names = {
        Kind.CA: "CA",
        Kind.CRL: "the list of CA",
        Kind.SITE: "the certificate of site",
        Kind.CERTIFICATE: "certificate",
    }
    return f"{names[span.kind]} {span.name}"


def _brief(many: int) -> str:
    """Return a number in the few characters that fit above a bar."""
    if many < _FOUR_DIGITS:
        return f"{many}"
    return f"{many / 1e6:.3g}M" if many >= _MILLION else f"{many / 1e3:.3g}k"


def _x(position: float) -> float:
    return _LEFT + _CHART * position


def _label(y: float, text: str) -> str:
    return _text(28, y, fitted(printable(text), _LABEL, _FACE))


def _text(x: float, y: float, text: str, css: str = "") -> str:
    named = f' class="{css}"' if css else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}">{_escaped(text)}</text>'


def _escaped(text: str) -> str:
    return escape(printable(text), quote=False)
