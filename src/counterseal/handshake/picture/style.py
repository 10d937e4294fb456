"""The colours and type of the pictures, light and dark, as one style sheet that SVG and HTML share.

Contrast of all text against its ground is at least 4.5 to 1 in both (WCAG 2.2, 1.4.3).
"""

from __future__ import annotations

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


DIAGRAM = f"""
.handshake text{{font-family:{SANS};fill:var(--ink)}}
.handshake .ground{{fill:var(--ground)}}
.handshake .title{{font-size:20px;font-weight:650}}
.handshake .agreed{{font-size:13px;fill:var(--muted)}}
.handshake .end{{fill:var(--panel);stroke:var(--line)}}
.handshake .end-name{{font-size:14px;font-weight:600;text-anchor:middle}}
.handshake .end-place{{font-size:11.5px;fill:var(--muted);text-anchor:middle}}
.handshake .life{{stroke:var(--line);stroke-width:1.5}}
.handshake .band{{fill:var(--hidden-band)}}
.handshake .band-name{{font-size:11px;fill:var(--hidden);text-anchor:end}}
.handshake .time{{font-size:11px;fill:var(--muted);text-anchor:end;font-variant-numeric:tabular-nums}}
.handshake .name{{font-size:14px;font-weight:650}}
.handshake .size{{font-size:11.5px;font-weight:400;fill:var(--muted)}}
.handshake .meaning{{font-size:12px;fill:var(--ink)}}
.handshake .section{{fill:var(--muted)}}
.handshake .field{{font-size:11px;font-family:{MONO};fill:var(--muted)}}
.handshake .arrow{{fill:none;stroke-width:1.8}}
.handshake .readable .arrow{{stroke:var(--readable)}}.handshake .readable .head,.handshake .readable .name{{fill:var(--readable)}}
.handshake .hidden .arrow{{stroke:var(--hidden)}}.handshake .hidden .head,.handshake .hidden .name{{fill:var(--hidden)}}
.handshake .web .arrow{{stroke:var(--web)}}.handshake .web .head,.handshake .web .name{{fill:var(--web)}}
.handshake .clear .arrow{{stroke:var(--muted);stroke-dasharray:4 3}}.handshake .clear .head{{fill:var(--muted)}}
.handshake .alarm .arrow{{stroke:var(--alarm)}}.handshake .alarm .head,.handshake .alarm .name{{fill:var(--alarm)}}
.handshake .box{{fill:var(--panel);stroke:var(--line)}}
.handshake .box.alarm{{fill:var(--alarm-band);stroke:var(--alarm)}}
.handshake .verdict{{font-size:13.5px;font-weight:650}}
.handshake .label{{font-size:12.5px;font-weight:600;fill:var(--muted)}}
.handshake .text{{font-size:12.5px}}
"""  # noqa: E501 - one rule a line
