"""The colours and type of the pictures, light and dark, as one style sheet that SVG and HTML share.

Contrast of all text against its ground is at least 4.5 to 1 in both (WCAG 2.2, 1.4.3).
"""

from __future__ import annotations

from counterseal.handshake.picture.measure import Face

_LIGHT = {
    "ground": "#ffffff",
    "panel": "#f6f7f9",
    "line": "#c9ced6",
    "ink": "#16191f",
    "muted": "#555e6b",
    "readable": "#8a5300",
    "hidden": "#1c4fb3",
    "hidden-band": "#eef3fd",
    "web": "#0b6b3a",
    "alarm": "#b3171f",
    "alarm-band": "#fdeeee",
}
_DARK = {
    "ground": "#12151b",
    "panel": "#1a1f28",
    "line": "#39414f",
    "ink": "#eceff4",
    "muted": "#a5afbf",
    "readable": "#f0b45a",
    "hidden": "#8ab4ff",
    "hidden-band": "#182238",
    "web": "#69d29b",
    "alarm": "#ff8a85",
    "alarm-band": "#331a1d",
}

SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif"
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def colours(selector: str) -> str:
    """Return the custom properties for ``selector``, light ones, and dark ones where the reader prefers them."""
    light, dark = (";".join(f"--{name}:{value}" for name, value in tints.items()) for tints in (_LIGHT, _DARK))
    return f"{selector}{{color-scheme:light dark;{light}}}@media (prefers-color-scheme:dark){{{selector}{{{dark}}}}}"


FACES = {
    "title": Face(20, 650),
    "agreed": Face(13),
    "end-name": Face(14, 600),
    "end-place": Face(11.5),
    "band-name": Face(11),
    "time": Face(11),
    "name": Face(14, 650),
    "size": Face(11.5),
    "meaning": Face(12),
    "field": Face(11, mono=True),
    "verdict": Face(13.5, 650),
    "label": Face(12.5, 600),
    "text": Face(12.5),
}
"""How each kind of text in the diagram is set, for the style sheet and for breaking lines."""

DIAGRAM = f"""
{"".join(f".handshake .{name}{{{face.css}}}" for name, face in FACES.items())}
.handshake{{background:var(--ground)}}
.handshake text{{font-family:{SANS};fill:var(--ink)}}
.handshake .ground{{fill:var(--ground)}}
.handshake .agreed{{fill:var(--muted)}}
.handshake .end{{fill:var(--panel);stroke:var(--line)}}
.handshake .end-name{{text-anchor:middle}}
.handshake .end-place{{fill:var(--muted);text-anchor:middle}}
.handshake .life{{stroke:var(--line);stroke-width:1.5}}
.handshake .band{{fill:var(--hidden-band)}}
.handshake .band-name{{fill:var(--hidden);text-anchor:end}}
.handshake .time{{fill:var(--muted);text-anchor:end;font-variant-numeric:tabular-nums}}
.handshake .size{{font-weight:400;fill:var(--muted)}}
.handshake .section{{fill:var(--muted)}}
.handshake .field{{font-family:{MONO};fill:var(--muted)}}
.handshake .arrow{{fill:none;stroke-width:1.8}}
.handshake .readable .arrow{{stroke:var(--readable)}}.handshake .readable .head,.handshake .readable .name{{fill:var(--readable)}}
.handshake .hidden .arrow{{stroke:var(--hidden)}}.handshake .hidden .head,.handshake .hidden .name{{fill:var(--hidden)}}
.handshake .web .arrow{{stroke:var(--web)}}.handshake .web .head,.handshake .web .name{{fill:var(--web)}}
.handshake .clear .arrow{{stroke:var(--muted);stroke-dasharray:4 3}}.handshake .clear .head{{fill:var(--muted)}}
.handshake .alarm .arrow{{stroke:var(--alarm)}}.handshake .alarm .head,.handshake .alarm .name{{fill:var(--alarm)}}
.handshake .box{{fill:var(--panel);stroke:var(--line)}}
.handshake .box.alarm{{fill:var(--alarm-band);stroke:var(--alarm)}}
.handshake .label{{fill:var(--muted)}}
"""  # noqa: E501 - one rule a line
