"""How nginx speaks to one backend: the TLS that verifies it, what nginx shows it, and which of its answers stay here.

nginx by itself verifies no backend, sends it no server name, and relays a backend's 400 about nginx's own certificate,
so that a user takes his own for wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.render.layout import file_of
from counterseal.nginx.render.tls import CIPHERS
from counterseal.nginx.render.words import block, quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.any_site import AnySite
    from counterseal.nginx.material import Material, UpstreamMaterial
    from counterseal.nginx.render.layout import Layout
    from counterseal.nginx.site import Site
    from counterseal.nginx.upstream import Upstream
    from counterseal.nginx.version import NginxVersion

KEPT_CONNECTIONS = 16
"""Idle connections to a backend that a worker keeps: verified when they were made, and ended with the worker.

A block of its own for each site and backend: nginx would reuse a connection that was verified for another name.
"""
FORBIDDEN = 490
"""Our own status for a demand of a location that keeps the backend's 400: there, 403 is the backend's to say."""


def backend_lines(site: Site, layout: Layout, upstream: Upstream, *, name: str | None, gated: bool) -> Iterator[str]:
    """Yield what a location says of its backend; ``name`` is the one in its certificate, ``gated`` a demand here."""
    directive = "grpc" if upstream.is_grpc else "proxy"
    if upstream.is_tls and name is not None:
        yield f"include {layout.place(file_of(site, f'{directive}_ssl.conf'))};"
        yield f"{directive}_ssl_name {quote(name)};"
        yield f"{directive}_set_header Host {quote(name)};"
    else:
        yield f"{directive}_set_header Host $counterseal_host;"
    if relays_everything(site, upstream):
        yield f"{directive}_intercept_errors off;"
    else:
        yield f"{directive}_intercept_errors on;"
        yield "error_page 400 =502 @counterseal_upstream;"
        if gated:
            yield "error_page 495 496 =400 @counterseal_certificate;"
            yield f"error_page {FORBIDDEN} =403 @counterseal_forbidden;"
    names = _names(site)
    yield f"{directive}_pass {quote(f'{upstream.scheme}://{names.get(upstream, upstream.address)}')};"


def upstream_blocks(site: Site, version: NginxVersion) -> Iterator[str]:
    """Yield an upstream block for every TLS backend, which keeps connections, and so spares a handshake a request."""
    for upstream, name in _names(site).items():
        keeps = "http_upstream_keepalive" not in version.without
        kept = [f"keepalive {KEPT_CONNECTIONS};"] if keeps else []
        yield from block(f"upstream {name}", [f"server {quote(upstream.address)};", *kept])


def _names(site: Site) -> dict[Upstream, str]:
    secured = dict.fromkeys(upstream for upstream in site.upstreams if upstream.is_tls)
    return {upstream: f"counterseal_{site.name}_{number}" for number, upstream in enumerate(secured, start=1)}


def relays_everything(site: Site, upstream: Upstream) -> bool:
    """Whether every answer of the backend goes on to the client, a complaint about nginx's certificate too."""
    return not upstream.is_tls or site.upstream_tls is None or site.upstream_tls.relay_400


def ssl_files(site: AnySite, layout: Layout, material: Material) -> dict[str, list[str]]:
    """Return the lines that all TLS backends of one protocol share, by the kind of file."""
    if material.upstream is None:
        return {}
    directives = dict.fromkeys(
        "grpc" if upstream.is_grpc else "proxy" for upstream in site.upstreams if upstream.is_tls
    )
    return {f"{name}_ssl.conf": list(ssl_lines(site, layout, material.upstream, f"{name}_ssl")) for name in directives}


def ssl_lines(site: AnySite, layout: Layout, upstream: UpstreamMaterial, prefix: str) -> Iterator[str]:
    """Yield how nginx verifies every backend of the site, and what it shows them; the name is the location's."""
    # An empty value undoes what a user's http block may have set.
    crl = layout.place(file_of(site, "upstream-crl.pem")) if upstream.crl_pem else '""'
    yield f"{prefix}_verify on;"
    yield f"{prefix}_verify_depth {upstream.verify_depth};"
    yield f"{prefix}_trusted_certificate {layout.place(file_of(site, 'upstream-cas.pem'))};"
    yield f"{prefix}_crl {crl};"
    yield f"{prefix}_server_name on;"
    yield f"{prefix}_protocols TLSv1.2 TLSv1.3;"
    yield f"{prefix}_ciphers {CIPHERS};"
    yield f"{prefix}_session_reuse off;"
    if upstream.presents:
        yield f"{prefix}_certificate {layout.place(file_of(site, 'upstream-chain.pem'))};"
        yield f"{prefix}_certificate_key {layout.place(file_of(site, 'upstream-key.pem'))};"
