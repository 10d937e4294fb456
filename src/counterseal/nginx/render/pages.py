"""The pages a refused client sees, and the one line in each that a program can read.

A page is small, whole in itself, and follows the light or dark of the device. Which reason it gives is decided by the
verdict and, where nginx itself refused, by ``$ssl_client_verify``; the words are those of ``reasons``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.render.decision import PROBE_PATH, verdict
from counterseal.nginx.render.reasons import OTHER, REASONS
from counterseal.nginx.render.tls import HSTS
from counterseal.nginx.render.words import block, choose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.site import Site

MALFORMED_PATH = f"{PROBE_PATH}/malformed"
LARGE_PATH = f"{PROBE_PATH}/large"

_STYLE = (
    ":root{color-scheme:light dark}body{font:1rem/1.6 system-ui,sans-serif;margin:0;display:grid;min-height:100vh;"
    "place-items:center}main{max-width:34rem;padding:2rem}h1{font-size:1.5rem;line-height:1.3}"
    "p.code{opacity:.7;font-size:.875rem}"
)
_PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$counterseal_title</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>$counterseal_title</h1>
<p>$counterseal_text</p>
<p class="code">$counterseal_code</p>
</main>
<!-- $counterseal_line -->
</body>
</html>
"""
_FACTS = 'verify="$ssl_client_verify" serial=$ssl_client_serial reused=$ssl_session_reused protocol=$ssl_protocol'


def page_maps(generation: int) -> Iterator[str]:
    """Yield the maps behind the line and the page; a location sets ``$counterseal_verdict`` and ``_site`` first."""
    line = f"counterseal: generation={generation} site=$counterseal_site decision="
    lines = [
        ("default", f"{line}refused code=495 {_FACTS}"),
        ("^200:", f"{line}admitted code=200 {_FACTS}"),
        ("^([45][0-9][0-9]):", f"{line}refused code=$1 {_FACTS}"),
    ]
    yield from choose("$counterseal_verdict", "$counterseal_line", lines)
    codes = [("default", "495"), ("^([0-9]+:[a-z]+)", "$1")]
    yield from choose("$counterseal_verdict", "$counterseal_code", codes)
    source = "$counterseal_verdict|$ssl_client_verify"
    titles = [("default", OTHER.title), *((reason.pattern, reason.title) for reason in REASONS)]
    texts = [("default", OTHER.text), *((reason.pattern, reason.text) for reason in REASONS)]
    yield from choose(source, "$counterseal_title", titles)
    yield from choose(source, "$counterseal_text", texts)
    yield from choose("$counterseal_verdict", "$counterseal_page", [("default", _PAGE)])


def error_page_lines() -> Iterator[str]:
    """Yield which page answers which refusal; a named location, so that the server's checks do not refuse the page."""
    yield "error_page 495 496 =400 @counterseal_certificate;"
    yield "error_page 403 =403 @counterseal_forbidden;"
    yield "error_page 421 =421 @counterseal_misdirected;"
    yield "error_page 497 =400 @counterseal_plain;"
    yield from _unread_lines()


def page_locations(site: Site) -> Iterator[str]:
    """Yield the locations of the pages of one site."""
    for name, status, value in (
        ("certificate", 400, verdict(site)),
        ("forbidden", 403, verdict(site)),
        ("misdirected", 421, "421:misdirected"),
        ("plain", 400, "497:plain"),
    ):
        yield from block(f"location @counterseal_{name}", _answer(site.name, status, value, hsts=site.hsts))
    if site.backend_names:
        lines = _answer(site.name, 502, "502:upstream", hsts=site.hsts)
        yield from block("location @counterseal_upstream", lines)
    yield from _unread_locations(site.name, hsts=site.hsts)


def default_server_pages() -> Iterator[str]:
    """Yield the pages of the server that answers for no site."""
    yield "error_page 421 =421 @counterseal_misdirected;"
    yield "error_page 497 =400 @counterseal_plain;"
    yield from _unread_lines()
    yield from block("location @counterseal_misdirected", _answer("-", 421, "421:misdirected", hsts=False))
    yield from block("location @counterseal_plain", _answer("-", 400, "497:plain", hsts=False))
    yield from _unread_locations("-", hsts=False)
    yield from block("location /", ["return 421;"])


def probe_location(site: Site) -> Iterator[str]:
    """Yield the place that answers with the line alone; it stands behind all checks of the server."""
    lines = [
        *_set_lines(site.name, verdict(site)),
        "default_type text/plain;",
        'add_header Cache-Control "no-store" always;',
        *([HSTS] if site.hsts else []),
        'return 200 "$counterseal_line\\n";',
    ]
    yield from block(f"location = {PROBE_PATH}", lines)


def _answer(site: str, status: int, value: str, *, hsts: bool) -> Iterator[str]:
    yield from _set_lines(site, value)
    yield "default_type text/html;"
    yield 'add_header Cache-Control "no-store" always;'
    yield 'add_header X-Content-Type-Options "nosniff" always;'
    yield "add_header Content-Security-Policy \"default-src 'none'; style-src 'unsafe-inline'\" always;"
    if hsts:
        yield HSTS
    yield f"return {status} $counterseal_page;"


def _unread_lines() -> Iterator[str]:
    """Yield which page answers a request that nginx has not read to its end: its path may be missing."""
    yield f"error_page 400 =400 {MALFORMED_PATH};"
    yield f"error_page 414 =414 {LARGE_PATH};"
    yield f"error_page 494 =400 {LARGE_PATH};"


def _unread_locations(site: str, *, hsts: bool) -> Iterator[str]:
    # A named location cannot answer a request without a path.
    for path, value in ((MALFORMED_PATH, "400:malformed"), (LARGE_PATH, "494:large")):
        yield from block(f"location = {path}", ["internal;", *_answer(site, 400, value, hsts=hsts)])


def _set_lines(site: str, value: str) -> Iterator[str]:
    yield f'set $counterseal_site "{site}";'
    yield f'set $counterseal_verdict "{value}";'
