"""Everything about a handshake as one HTML page: the diagram, then every message, the keys, the checks, the verdict.

No script; a Content-Security-Policy in the page forbids any, and all loading. What comes from outside is escaped by the
one function that makes an element.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from counterseal.handshake.picture.diagram import agreed_line, draw
from counterseal.handshake.picture.style import MONO, SANS, colours
from counterseal.handshake.wire.messages import Side
from counterseal.moments import show_moment
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from counterseal.handshake.explain.ladder import Rung
    from counterseal.handshake.explain.matching import Match
    from counterseal.handshake.explain.sheet import Sheet
    from counterseal.pki.path.explain import PathReport

_STYLE = f"""
*{{box-sizing:border-box}}
body{{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 {SANS};overflow-wrap:break-word}}
main{{max-width:1020px;margin:0 auto;padding:24px 20px 60px}}
h1{{font-size:24px;line-height:1.25;margin:0 0 4px}}
h2{{font-size:17px;margin:36px 0 10px}}
p{{margin:6px 0}}
.muted{{color:var(--muted)}}
.verdict{{border:1px solid var(--line);border-radius:10px;background:var(--panel);padding:14px 18px;margin:18px 0 26px}}
.verdict.alarm{{border-color:var(--alarm);background:var(--alarm-band)}}
.verdict b{{font-size:16px}}
dl{{display:grid;grid-template-columns:minmax(90px,max-content) 1fr;gap:3px 16px;margin:10px 0 0}}
dt{{color:var(--muted);font-weight:600}}
dd{{margin:0;overflow-wrap:anywhere}}
.picture{{overflow-x:auto;border:1px solid var(--line);border-radius:10px}}
.picture svg{{display:block;width:100%;height:auto;min-width:760px}}
details{{border:1px solid var(--line);border-radius:8px;margin:6px 0;background:var(--panel)}}
summary{{cursor:pointer;padding:8px 14px;overflow-wrap:anywhere}}
details>div{{padding:0 14px 12px}}
details dd{{font-family:{MONO};font-size:12.5px}}
table{{border-collapse:collapse;width:100%;font-size:14px}}
th,td{{text-align:left;vertical-align:top;padding:6px 12px 6px 0;border-top:1px solid var(--line)}}
td{{overflow-wrap:anywhere}}
td.pass,td.fail,td.warn,td.skip{{white-space:nowrap}}
th{{color:var(--muted);border-top:0}}
.pass{{color:var(--web);font-weight:600}}.fail{{color:var(--alarm);font-weight:700}}
.warn{{color:var(--readable);font-weight:600}}.skip{{color:var(--muted)}}
footer{{margin-top:40px;color:var(--muted);font-size:13px}}
@media (max-width:640px){{
main{{padding:16px 12px 40px}}
tr{{display:block;border-top:1px solid var(--line);padding:6px 0}}
tr:has(th){{display:none}}
td{{display:block;border-top:0;padding:0}}
td.pass,td.fail,td.warn,td.skip,td.title{{display:inline;padding-right:6px}}
}}
@media print{{details{{break-inside:avoid}}}}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def write_page(sheet: Sheet, *, at: datetime) -> str:
    """Return the page as a whole document; ``at`` is the moment that it shows."""
    kind = "verdict alarm" if sheet.failed else "verdict"
    body = [
        _element("h1", sheet.title),
        _element("p", f"{agreed_line(sheet)}, {show_moment(at)}", "muted"),
        f'<div class="{kind}">{_element("b", sheet.heading)}{_rows(sheet.rows)}</div>',
        f'<div class="picture">{draw(sheet, whole=False)}</div>',
        *([_element("h2", "Every message")] if sheet.ladder else []),
        *map(_message, sheet.ladder),
        *_second(sheet),
        *_keys(sheet),
        *(part for heading, report in sheet.checks for part in _checks(heading, report)),
        *_matches(sheet.matches, sheet.more_matches),
        _element(
            "footer",
            "Made by counterseal. Nothing secret is in this page: of keys, tickets and signatures only the length.",
        ),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{_element('title', sheet.title)}<style>{colours(':root')}{_STYLE}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _element(tag: str, text: str, kind: str = "") -> str:
    attribute = f' class="{kind}"' if kind else ""
    return f"<{tag}{attribute}>{escape(text)}</{tag}>"


def _rows(rows: Iterable[tuple[str, str]]) -> str:
    shown = "".join(_element("dt", label) + _element("dd", value) for label, value in rows)
    return f"<dl>{shown}</dl>" if shown else ""


def _message(rung: Rung) -> str:
    arrow = "\N{RIGHTWARDS ARROW}" if rung.sender is Side.CLIENT else "\N{LEFTWARDS ARROW}"
    facts = [f"{rung.size} bytes" if rung.size is not None else "", "encrypted" if rung.encrypted else ""]
    facts.append(f"{rung.at * 1000:.1f} ms" if rung.at is not None else "")
    small = _element("span", ", ".join(fact for fact in facts if fact), "muted")
    meaning = _element("p", rung.meaning) + (_element("p", rung.section, "muted") if rung.section else "")
    summary = f"{arrow} {_element('b', rung.name, 'fail' if rung.alarming else '')} {small}"
    return f"<details><summary>{summary}</summary><div>{meaning}{_rows(rung.fields)}</div></details>"


def _second(sheet: Sheet) -> list[str]:
    if sheet.resumed is None:
        return []
    return [_element("h2", "A second time, with the session of the first"), *map(_message, sheet.resumed)]


def _keys(sheet: Sheet) -> list[str]:
    derivation = sheet.derivation
    if derivation is None:
        return []
    steps = "".join(_element("li", step) for step in derivation.steps)
    secrecy = "a key stolen later does not open it" if derivation.forward_secret else "no forward secrecy"
    quantum = "post-quantum" if derivation.post_quantum else "not post-quantum"
    return [
        _element("h2", "From what both sides derive the session keys"),
        f"<ol>{steps}</ol>",
        _element("p", f"What was recorded: {secrecy}; {quantum}. {derivation.section}", "muted"),
    ]


def _checks(heading: str, report: PathReport) -> list[str]:
    path = " \N{LEFTWARDS ARROW} ".join(show_subject(one.subject) or "(no subject)" for one in report.certificates)
    rows = []
    for check in report.checks:
        told = check.message if check.position is None else f"{check.position}: {check.message}"
        advice = _element("p", f"{check.kind.meaning}. Fix: {check.fix}") if check.failed else ""
        cells = [_element("td", check.outcome, check.outcome), _element("td", check.kind.title, "title")]
        cells += [f"<td>{escape(told)}{advice}</td>", _element("td", check.where_written, "muted")]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = "".join(_element("th", name) for name in ("", "Check", "Compared", "Section"))
    return [
        _element("h2", _capital(heading)),
        _element("p", path, "muted"),
        f"<table><tr>{head}</tr>{''.join(rows)}</table>",
    ]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _matches(matches: Iterable[Match], more: int) -> list[str]:
    rows = []
    for match in matches:
        word = "fits" if match.fits else "does not fit"
        browser = "browsers offer it" if match.offered_by_browser else "browsers do not offer it"
        cells = [_element("td", match.name), _element("td", match.subject)]
        cells += [_element("td", word, "pass" if match.fits else "fail"), _element("td", browser)]
        rows.append(f"<tr>{''.join(cells)}{_element('td', '; '.join(match.reasons))}</tr>")
    head = "".join(_element("th", name) for name in ("Certificate", "Subject", "For this server", "In a browser", ""))
    rest = [_element("p", f"and {more} more", "muted")] if more else []
    table = f"<table><tr>{head}</tr>{''.join(rows)}</table>"
    return [_element("h2", "Client certificates against what the server asks for"), table, *rest] if rows else []
