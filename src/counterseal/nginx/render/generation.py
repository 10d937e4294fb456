"""All files of one generation: what nginx reads, from sites and their material."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.fileset import SECRET, FileSet, PlannedFile
from counterseal.nginx.render.agreement import refuse_disagreement, session_zone, tls_sockets
from counterseal.nginx.render.backend import ssl_files
from counterseal.nginx.render.decision import decision_lines
from counterseal.nginx.render.headers import client_cert_maps, grpc_lines, proxy_lines, proxy_maps
from counterseal.nginx.render.inventory import inventory_lines, list_files, number_issuers, uses_crl
from counterseal.nginx.render.layout import file_of
from counterseal.nginx.render.main import main_lines
from counterseal.nginx.render.pages import page_maps
from counterseal.nginx.render.server import default_server, plain_default_server, redirect_servers, site_server
from counterseal.nginx.render.sizes import size_lines
from counterseal.nginx.render.words import as_file
from counterseal.nginx.site import IdentityHeaders, TLSProfile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counterseal.nginx.material import Material
    from counterseal.nginx.render.layout import Layout
    from counterseal.nginx.site import Listen, Site
    from counterseal.nginx.version import NginxVersion

MAIN_FILE, HTTP_FILE, DEFAULT_FILE = "nginx.conf", "http.conf", "default_servers.conf"
LOG_FORMAT = (
    'log_format counterseal \'$remote_addr [$time_local] $ssl_server_name $host "$request" $status '
    'verify="$ssl_client_verify" serial=$ssl_client_serial issuer="$ssl_client_i_dn" dn="$ssl_client_s_dn" '
    "$ssl_protocol reused=$ssl_session_reused';"
)


def render(
    sites: Sequence[tuple[Site, Material]], *, version: NginxVersion, generation: int, layout: Layout
) -> FileSet:
    """Return the files of generation number ``generation``; paths are relative to its directory.

    ``http.conf`` belongs into an http block. Where the whole nginx is ours, ``nginx.conf`` has that block. Raises
    ConfigError ``nginx.sites`` where sites contradict each other or lack something.
    """
    refuse_disagreement(sites, version)
    lists = list_files(sites, number_issuers(material for site, material in sites if site.verifies))
    maps = list(map_lines(sites, generation=generation, layout=layout))
    head = f"# Generation {generation} of Counterseal. Written anew by every deploy: edit counterseal.toml instead."
    only = [site for site, _ in sites]
    names = [*(file_of(site, "conf") for site in only), DEFAULT_FILE]
    http = [*http_lines(sites, lists, maps, layout=layout), *(f"include {layout.place(name)};" for name in names)]
    default = defaults(only, version=version, generation=generation, layout=layout)
    files = [PlannedFile(MAIN_FILE, as_file([head, *main_lines(layout, version)]))] if layout.owns_main else []
    files += [PlannedFile(HTTP_FILE, as_file([head, *http])), *lists]
    for site, material in sites:
        zone = session_zone(site, only, generation=generation, version=version)
        server = site_server(site, material, version=version, layout=layout, zone=zone)
        files.append(PlannedFile(file_of(site, "conf"), as_file([head, *server, *redirect_servers(site, layout)])))
        files.extend(_site_files(site, material))
        files.extend(_backend_files(site, material, version=version, layout=layout))
    return FileSet((*files, PlannedFile(DEFAULT_FILE, as_file([head, *default]))))


def http_lines(
    sites: Sequence[tuple[Site, Material]], lists: Sequence[PlannedFile], maps: Sequence[str], *, layout: Layout
) -> Iterator[str]:
    """Yield what stands in the http block before the servers: sizes, the log format, the maps."""
    yield from size_lines(
        layout,
        entries=max(file.content.count(b"\n") for file in lists),
        variables=sum(line.startswith("map ") for line in maps),
        names=tuple(name for site, _ in sites for name in site.server_names),
    )
    yield LOG_FORMAT
    yield from maps


def map_lines(sites: Sequence[tuple[Site, Material]], *, generation: int, layout: Layout) -> Iterator[str]:
    """Yield every map that these sites use."""
    issuers = number_issuers(material for site, material in sites if site.verifies)
    if issuers:
        yield from inventory_lines(issuers, layout)
    for site, material in sites:
        yield from decision_lines(site, material, issuers)
    if any(site.proxies for site, _ in sites):
        yield from proxy_maps()
    if any(site.identity_headers is IdentityHeaders.RFC9440 for site, _ in sites):
        yield from client_cert_maps()
    if sites:  # a map may not name a variable that no server sets
        yield from page_maps(generation)


def client_files(site: Site, material: Material) -> Iterator[PlannedFile]:
    """Yield what clients of the site are verified with."""
    if site.verifies:
        yield PlannedFile(file_of(site, "client-cas.pem"), material.client_cas_pem)
    if uses_crl(site, material):
        yield PlannedFile(file_of(site, "crl.pem"), material.crl_pem)


def defaults(sites: Sequence[Site], *, version: NginxVersion, generation: int, layout: Layout) -> Iterator[str]:
    """Yield one rejecting server per socket settings, and the plain one."""
    groups: dict[tuple[TLSProfile, str | None], list[Listen]] = {}
    for listen, there in tls_sockets(sites).items():
        profiles = {site.tls for site in there}
        profile = profiles.pop() if len(profiles) == 1 else TLSProfile.INTERMEDIATE
        zone = session_zone(there[0], sites, generation=generation, version=version)
        groups.setdefault((profile, zone), []).append(listen)
    for (profile, zone), sockets in groups.items():
        yield from default_server(sockets, profile=profile, version=version, layout=layout, zone=zone)
    if layout.owns_main:
        yield from plain_default_server(dict.fromkeys(one for site in sites for one in site.redirect_from), layout)


def _site_files(site: Site, material: Material) -> Iterator[PlannedFile]:
    yield PlannedFile(file_of(site, "chain.pem"), material.certificate_chain)
    yield PlannedFile(file_of(site, "key.pem"), material.private_key, SECRET)
    yield from client_files(site, material)


def _backend_files(site: Site, material: Material, *, version: NginxVersion, layout: Layout) -> Iterator[PlannedFile]:
    if site.proxies_http:
        yield PlannedFile(file_of(site, "proxy.conf"), as_file(proxy_lines(site, version)))
    if any(upstream.is_grpc for upstream in site.upstreams):
        yield PlannedFile(file_of(site, "grpc.conf"), as_file(grpc_lines(site)))
    for kind, lines in ssl_files(site, layout, material).items():
        yield PlannedFile(file_of(site, kind), as_file(lines))
    if material.upstream is not None:
        yield PlannedFile(file_of(site, "upstream-cas.pem"), material.upstream.cas_pem)
        if material.upstream.crl_pem:
            yield PlannedFile(file_of(site, "upstream-crl.pem"), material.upstream.crl_pem)
        if material.upstream.presents:
            yield PlannedFile(file_of(site, "upstream-chain.pem"), material.upstream.certificate_chain)
            yield PlannedFile(file_of(site, "upstream-key.pem"), material.upstream.private_key, SECRET)
