"""The files of one site beside its server block: certificates, keys and lists, and what its locations include."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.fileset import SECRET, PlannedFile
from counterseal.nginx.render.backend import ssl_files
from counterseal.nginx.render.headers import grpc_lines, proxy_lines
from counterseal.nginx.render.inventory import uses_crl
from counterseal.nginx.render.layout import file_of
from counterseal.nginx.render.words import as_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.any_site import AnySite
    from counterseal.nginx.material import Material
    from counterseal.nginx.render.layout import Rendering
    from counterseal.nginx.site import Site


def credential_files(site: AnySite, material: Material) -> Iterator[PlannedFile]:
    """Yield what the site shows its clients and its backends, and what it verifies them with."""
    yield PlannedFile(file_of(site, "chain.pem"), material.certificate_chain)
    yield PlannedFile(file_of(site, "key.pem"), material.private_key, SECRET)
    yield from client_files(site, material)
    if material.upstream is not None:
        yield PlannedFile(file_of(site, "upstream-cas.pem"), material.upstream.cas_pem)
        if material.upstream.crl_pem:
            yield PlannedFile(file_of(site, "upstream-crl.pem"), material.upstream.crl_pem)
        if material.upstream.presents:
            yield PlannedFile(file_of(site, "upstream-chain.pem"), material.upstream.certificate_chain)
            yield PlannedFile(file_of(site, "upstream-key.pem"), material.upstream.private_key, SECRET)


def client_files(site: AnySite, material: Material) -> Iterator[PlannedFile]:
    """Yield what clients of the site are verified with; where none are, what a response to be stapled is."""
    if site.verifies:
        yield PlannedFile(file_of(site, "client-cas.pem"), material.client_cas_pem)
    elif site.stapling and material.stapling_cas_pem:
        yield PlannedFile(file_of(site, "stapling-cas.pem"), material.stapling_cas_pem)
    if uses_crl(site, material):
        yield PlannedFile(file_of(site, "crl.pem"), material.crl_pem)


def location_files(site: Site, material: Material, by: Rendering) -> Iterator[PlannedFile]:
    """Yield what the locations of an HTTP site include."""
    if site.proxies_http:
        yield PlannedFile(file_of(site, "proxy.conf"), as_file(proxy_lines(site, by.version)))
    if any(upstream.is_grpc for upstream in site.upstreams):
        yield PlannedFile(file_of(site, "grpc.conf"), as_file(grpc_lines(site)))
    for kind, lines in ssl_files(site, by.layout, material).items():
        yield PlannedFile(file_of(site, kind), as_file(lines))
