"""All files of one generation: what nginx reads, from sites and their material."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.fileset import FileSet, PlannedFile
from counterseal.nginx.render.agreement import refuse_disagreement, session_zone, tls_sockets
from counterseal.nginx.render.backend import upstream_blocks
from counterseal.nginx.render.decision import decision_lines
from counterseal.nginx.render.headers import client_cert_maps, proxy_maps
from counterseal.nginx.render.inventory import inventory_lines, list_files, number_issuers
from counterseal.nginx.render.layout import Rendering, file_of
from counterseal.nginx.render.main import main_lines
from counterseal.nginx.render.ocsp import patience_lines
from counterseal.nginx.render.pages import page_maps
from counterseal.nginx.render.server import default_server, plain_default_server, redirect_servers, site_server
from counterseal.nginx.render.site_files import credential_files, location_files
from counterseal.nginx.render.sizes import size_lines
from counterseal.nginx.render.stream import stream_lines
from counterseal.nginx.render.words import as_file
from counterseal.nginx.site import IdentityHeaders, Site, TLSProfile
from counterseal.nginx.stream_site import StreamSite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from counterseal.nginx.any_site import AnySite
    from counterseal.nginx.material import Material
    from counterseal.nginx.render.layout import Layout
    from counterseal.nginx.site import Listen
    from counterseal.nginx.version import NginxVersion

MAIN_FILE, HTTP_FILE, STREAM_FILE = "nginx.conf", "http.conf", "stream.conf"
DEFAULT_FILE = "default_servers.conf"
LOG_FORMAT = (
    'log_format counterseal \'$remote_addr [$time_local] $ssl_server_name $host "$request" $status '
    'verify="$ssl_client_verify" serial=$ssl_client_serial issuer="$ssl_client_i_dn" dn="$ssl_client_s_dn" '
    "$ssl_protocol reused=$ssl_session_reused';"
)


def render(
    sites: Sequence[tuple[AnySite, Material]], *, version: NginxVersion, generation: int, layout: Layout
) -> FileSet:
    """Return the files of generation number ``generation``; paths are relative to its directory.

    ``http.conf`` belongs into an http block, ``stream.conf``, where there are stream sites, into a stream block. Where
    the whole nginx is ours, ``nginx.conf`` has those blocks. Raises ConfigError ``nginx.sites`` where sites contradict
    each other or lack something.
    """
    refuse_disagreement(sites, version)
    by, head = Rendering(version, generation, layout), _head(generation)
    issuers = number_issuers(material for site, material in sites if site.verifies)
    lists = list_files(sites, issuers)
    web = [(site, material) for site, material in sites if isinstance(site, Site)]
    streams = [(site, material) for site, material in sites if isinstance(site, StreamSite)]
    files: list[PlannedFile] = []
    if layout.owns_main:
        main = main_lines(by, streams=bool(streams))
        files.append(PlannedFile(MAIN_FILE, as_file([head, *main])))
    files += _http_files(web, issuers, lists, by)
    if streams:
        entries = max(file.content.count(b"\n") for file in lists)
        lines = stream_lines(streams, issuers, by, entries=entries)
        files.append(PlannedFile(STREAM_FILE, as_file([head, *lines])))
    for site, material in sites:
        files.extend(credential_files(site, material))
    return FileSet(tuple(files))


def _http_files(
    sites: Sequence[tuple[Site, Material]], issuers: Mapping[str, int], lists: Sequence[PlannedFile], by: Rendering
) -> Iterator[PlannedFile]:
    head, layout = _head(by.generation), by.layout
    only = [site for site, _ in sites]
    maps = list(map_lines(sites, issuers, by))
    names = [*(file_of(site, "conf") for site in only), DEFAULT_FILE]
    http = [*http_lines(sites, lists, maps, layout=layout), *(f"include {layout.place(name)};" for name in names)]
    yield PlannedFile(HTTP_FILE, as_file([head, *http]))
    yield from lists
    for site, material in sites:
        server = site_server(site, material, by, zone=session_zone(site, only, by))
        yield PlannedFile(
            file_of(site, "conf"),
            as_file([head, *upstream_blocks(site, by.version), *server, *redirect_servers(site, layout)]),
        )
        yield from location_files(site, material, by)
    yield PlannedFile(DEFAULT_FILE, as_file([head, *defaults(only, by)]))


def _head(generation: int) -> str:
    return f"# Generation {generation} of Counterseal. Written anew by every deploy: edit counterseal.toml instead."


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


def map_lines(sites: Sequence[tuple[Site, Material]], issuers: Mapping[str, int], by: Rendering) -> Iterator[str]:
    """Yield every map that these sites use."""
    if any(site.verifies for site, _ in sites):
        yield from inventory_lines(issuers, by.layout)
    for site, material in sites:
        yield from decision_lines(site, material, issuers)
    if any(site.proxies for site, _ in sites):
        yield from proxy_maps()
    if any(site.identity_headers is IdentityHeaders.RFC9440 for site, _ in sites):
        yield from client_cert_maps()
    if sites:  # a map may not name a variable that no server sets
        yield from page_maps(by.generation)


def defaults(sites: Sequence[Site], by: Rendering) -> Iterator[str]:
    """Yield one rejecting server per socket settings, and the plain one."""
    groups: dict[tuple[TLSProfile, str | None, tuple[str, ...]], list[Listen]] = {}
    for listen, there in tls_sockets(sites).items():
        profiles = {site.tls for site in there}
        profile = profiles.pop() if len(profiles) == 1 else TLSProfile.INTERMEDIATE
        zone = session_zone(there[0], sites, by)
        groups.setdefault((profile, zone, tuple(patience_lines(there))), []).append(listen)
    for (profile, zone, more), sockets in groups.items():
        yield from default_server(sockets, by, profile=profile, zone=zone, more=more)
    if by.layout.owns_main:
        yield from plain_default_server(dict.fromkeys(one for site in sites for one in site.redirect_from), by.layout)
