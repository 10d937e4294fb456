"""A timeline for a terminal of any width, and as a plain table for a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from counterseal.authority.timeline.gather import Kind, State
from counterseal.authority.timeline.scale import Scale
from counterseal.authority.timeline.svg import HEADINGS
from counterseal.cli.common import columns
from counterseal.duration import show_duration
from counterseal.moments import show_moment
from counterseal.pki.shown import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.authority.timeline.gather import Count, Span, Timeline

_COLORS = {State.FINE: "green", State.DUE: "yellow", State.EXPIRED: "red"}
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_RIGHT = 23  # a date, and the time that is left
_LEAST_CHART, _LABEL_SHARE = 16, 4


def table(timeline: Timeline) -> str:
    """Return one line for each thing, then the counts; for programs and for grep."""
    rows = [
        (
            span.kind,
            span.state,
            f"{span.end:%Y-%m-%d %H:%M}",
            _left(timeline, span),
            printable(span.name),
            printable(span.note),
        )
        for span in timeline.spans
    ]
    lines = [columns(rows, titles=("WHAT", "STATE", "UNTIL (UTC)", "LEFT", "NAME", ""))]
    if timeline.counts:
        titles = ("PROFILE", "VALID", *(f"<{name}" for name in _names()), "LATER")
        counted = [(one.profile, str(one.total), *map(str, one.counts)) for one in timeline.counts]
        lines += ["", columns(counted, titles=titles)]
    return "\n".join(lines)


def drawing(timeline: Timeline, *, width: int) -> str:
    """Return the timeline drawn in ``width`` columns, coloured where a terminal reads it."""
    labels = [_label(span) for span in timeline.spans] + [f"{one.profile}: {one.total:,}" for one in timeline.counts]
    label = min(max(map(len, labels), default=0), width // _LABEL_SHARE + 4)
    chart = max(width - label - _RIGHT - 6, _LEAST_CHART)
    return "\n".join(_lines(timeline, Scale(timeline.horizon), label=label, chart=chart))


def _lines(timeline: Timeline, scale: Scale, *, label: int, chart: int) -> Iterator[str]:
    yield f"what expires when, from {show_moment(timeline.at)} on"
    names, rule = _axis(scale, chart)
    yield f"  {'':{label}}  {names}"
    yield f"  {'':{label}}  {rule}"
    for kind, heading in HEADINGS.items():
        spans = timeline.of(kind)
        yield from [click.style(heading, bold=True)] if spans else []
        for span in spans:
            bar = click.style(_bar(timeline, span, scale, chart), fg=_COLORS[span.state])
            yield f"  {_fitted(_label(span), label)}  {bar}  {span.end:%Y-%m-%d} {_left(timeline, span)}"
    if timeline.counts:
        yield click.style(f"all {timeline.total:,} valid certificates, by when they expire", bold=True)
    for count in timeline.counts:
        yield f"  {_fitted(f'{count.profile}: {count.total:,}', label)}  {_heights(timeline, count, scale, chart)}"
    if any(span.state is State.FINE for span in timeline.spans):
        yield click.style("○ due to be replaced", dim=True)


def _axis(scale: Scale, chart: int) -> tuple[str, str]:
    names, rule = [" "] * (chart + 4), ["─"] * chart
    free = 0
    for name, position in scale.ticks:
        at = round(position * (chart - 1))
        rule[at] = "┬"
        if at >= free:
            names[at : at + len(name)] = name
            free = at + len(name) + 1
    return "".join(names).rstrip(), "".join(rule)


def _bar(timeline: Timeline, span: Span, scale: Scale, chart: int) -> str:
    length = max(round(scale.position(span.end - timeline.at) * chart), 1)
    if span.state is State.EXPIRED:
        return "✗".ljust(chart)
    bar = ["━"] * length
    if span.due is not None and span.state is State.FINE:
        bar[min(round(scale.position(span.due - timeline.at) * chart), length - 1)] = "○"
    return "".join(bar).ljust(chart)


def _heights(timeline: Timeline, count: Count, scale: Scale, chart: int) -> str:
    """Return a block for each period, as high as its share of the highest, its number inside where it fits."""
    cells, most = [" "] * chart, max(count.counts)
    for number, many in enumerate(count.counts):
        begin, end = (round(scale.position(moment - timeline.at) * chart) for moment in timeline.period(number))
        if many and begin < chart:
            end = min(max(end, begin + 1), chart)
            cells[begin:end] = _EIGHTHS[max(round(8 * many / most), 1)] * (end - begin)
            told = f"{many:,}"
            if len(told) + 1 < end - begin:
                cells[begin + 1 : begin + 1 + len(told)] = told
    return "".join(cells).rstrip()


def _left(timeline: Timeline, span: Span) -> str:
    ahead = span.end - timeline.at
    return "expired" if span.state is State.EXPIRED else show_duration(ahead)


def _label(span: Span) -> str:
    return printable(f"{span.name}, {span.note}" if span.note and span.kind is not Kind.CERTIFICATE else span.name)


def _fitted(text: str, width: int) -> str:
    return text.ljust(width) if len(text) <= width else text[: width - 1] + "…"


def _names() -> tuple[str, ...]:
    from counterseal.authority.timeline.scale import STEPS  # noqa: PLC0415 - for the table only

    return tuple(STEPS)
