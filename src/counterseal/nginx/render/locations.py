"""The locations of a server block: where each path leads, with the demands on it and what the backend is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.render.backend import FORBIDDEN, backend_lines, relays_everything
from counterseal.nginx.render.decision import HEADERS_PATH, UPSTREAM_PATHS, check_lines, gates_around
from counterseal.nginx.render.layout import file_of
from counterseal.nginx.render.words import block, quote
from counterseal.nginx.upstream import Scheme, Upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.render.layout import Layout
    from counterseal.nginx.site import Location, Site


def location_lines(site: Site, layout: Layout) -> Iterator[str]:
    """Yield the places of the proof, then the locations of the site, then everything else."""
    yield from _proved(site, layout)
    for location in site.locations:
        place = location if location.upstream or location.root else site
        gates = list(_gates(site, location, place))
        lines = [*gates, *_target(site, layout, place, gated=bool(gates))]
        yield from block(f"location = {quote(location.prefix)}", lines)
        yield from block(f"location ^~ {quote(location.prefix + '/')}", lines)
    yield from block("location /", _target(site, layout, site))


def _proved(site: Site, layout: Layout) -> Iterator[str]:
    """Yield the places where the proof plays the application, and the backend that speaks TLS."""
    if site.proxies_http:
        prover = Upstream(Scheme.HTTP, f"unix:{layout.prove_socket}")
        yield from block(f"location = {HEADERS_PATH}", _pass(site, layout, prover, name=None))
    for scheme, name in site.backend_names.items():
        prover = Upstream(scheme, f"unix:{layout.prove_tls_socket}")
        yield from block(f"location = {UPSTREAM_PATHS[scheme]}", _pass(site, layout, prover, name=name))


def _gates(site: Site, location: Location, place: Site | Location) -> Iterator[str]:
    keeps_400 = place.upstream is not None and not relays_everything(site, Upstream.parse(place.upstream))
    for gate in gates_around(site, location):
        yield from check_lines(gate, forbidden=FORBIDDEN if keeps_400 else 403)


def _target(site: Site, layout: Layout, place: Site | Location, *, gated: bool = False) -> Iterator[str]:
    if place.upstream is not None:
        upstream = Upstream.parse(place.upstream)
        name = site.upstream_tls.name_of(upstream) if site.upstream_tls else None
        yield from _pass(site, layout, upstream, name=name, gated=gated)
    elif place.root is not None:
        yield f"root {quote(place.root)};"
        yield "index index.html;"
    else:
        yield "return 404;"


def _pass(site: Site, layout: Layout, upstream: Upstream, *, name: str | None, gated: bool = False) -> Iterator[str]:
    yield f"include {layout.place(file_of(site, 'grpc.conf' if upstream.is_grpc else 'proxy.conf'))};"
    yield from backend_lines(site, layout, upstream, name=name, gated=gated)
