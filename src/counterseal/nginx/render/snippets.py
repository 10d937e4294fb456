"""The parts of a site as files to include, for people who keep their own server blocks.

What a server block has besides, its names, sockets, certificate and locations, stays theirs; so does the default server
of the socket, without which a handshake that names nobody enters by whichever block comes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.fileset import FileSet, PlannedFile
from counterseal.nginx.render.agreement import refuse_disagreement
from counterseal.nginx.render.decision import check_lines, verdict
from counterseal.nginx.render.generation import HTTP_FILE, STREAM_FILE, defaults, http_lines, map_lines
from counterseal.nginx.render.headers import header_lines
from counterseal.nginx.render.inventory import list_files, number_issuers
from counterseal.nginx.render.layout import Rendering
from counterseal.nginx.render.ocsp import ocsp_lines
from counterseal.nginx.render.pages import error_page_lines, page_locations, probe_location
from counterseal.nginx.render.server import client_lines
from counterseal.nginx.render.site_files import client_files
from counterseal.nginx.render.stream import guard_lines, pass_line, stream_maps
from counterseal.nginx.render.tls import hygiene_lines, session_lines, tls_lines
from counterseal.nginx.render.words import as_file
from counterseal.nginx.site import Site
from counterseal.nginx.stream_site import StreamSite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from counterseal.nginx.any_site import AnySite
    from counterseal.nginx.material import Material
    from counterseal.nginx.render.layout import Layout
    from counterseal.nginx.version import NginxVersion

DEFAULT_FILE = "snippets/default_server.conf"


def render_snippets(
    every: Sequence[tuple[AnySite, Material]], *, version: NginxVersion, generation: int, layout: Layout
) -> FileSet:
    """Return the files to include: ``http.conf`` once in the http block, and three per site below ``snippets``.

    Where there are stream sites, ``stream.conf`` once in the stream block, and one per site. Certificate and key of the
    server are left out, which the user's block has, and so is how a backend is verified. Raises ConfigError
    ``nginx.sites``.
    """
    refuse_disagreement(every, version)
    sites = [(site, material) for site, material in every if isinstance(site, Site)]
    issuers = number_issuers(material for site, material in every if site.verifies)
    lists = list_files(every, issuers)
    by = Rendering(version, generation, layout)
    maps = list(map_lines(sites, issuers, by))
    head = f"# Generation {generation} of Counterseal: include this file once in the http block."
    files = [PlannedFile(HTTP_FILE, as_file([head, *http_lines(sites, lists, maps, layout=layout)])), *lists]
    for site, material in sites:
        files.extend(_snippets(site, material, by))
        files.extend(client_files(site, material))
    streams = [(site, material) for site, material in every if isinstance(site, StreamSite)]
    if streams:
        files += _stream_snippets(streams, issuers, lists, by)
    only = [site for site, _ in sites]
    note = "# Include this in the http block unless you have a default_server with ssl_reject_handshake of your own."
    return FileSet((*files, PlannedFile(DEFAULT_FILE, as_file([note, *defaults(only, by)]))))


def snippet_of(site: AnySite, part: str) -> str:
    """Return the path of one snippet (``tls``, ``client``, ``identity_headers``) of a site."""
    return f"snippets/{site.name}.{part}.conf"


def _snippets(site: Site, material: Material, by: Rendering) -> Iterator[PlannedFile]:
    tls = [
        "# Include this in your server block, and in every other one on the same socket.",
        *tls_lines(site.tls, by.version),
        *session_lines(None),
        *hygiene_lines(),
    ]
    client = [
        "# Include this in your server block, which needs snippets/default_server.conf on the same socket.",
        *client_lines(site, material, by.layout),
        *ocsp_lines(site, by.generation),
        *error_page_lines(),
        *(check_lines(verdict(site)) if site.verifies else ()),
        *page_locations(site),
        *probe_location(site),
    ]
    headers = [
        "# Include this in every location with proxy_pass: one proxy_set_header there drops all inherited ones.",
        *header_lines(site.identity_headers),
    ]
    for part, lines in (("tls", tls), ("client", client), ("identity_headers", headers)):
        yield PlannedFile(snippet_of(site, part), as_file(lines))


def _stream_snippets(
    sites: Sequence[tuple[StreamSite, Material]],
    issuers: Mapping[str, int],
    lists: Sequence[PlannedFile],
    by: Rendering,
) -> Iterator[PlannedFile]:
    head = f"# Generation {by.generation} of Counterseal: include this file once in the stream block."
    entries = max(file.content.count(b"\n") for file in lists)
    maps = stream_maps(sites, issuers, by, entries=entries)
    yield PlannedFile(STREAM_FILE, as_file([head, *maps]))
    for site, material in sites:
        note = "# Include this in your server block in place of proxy_pass; proxy_ssl for a TLS backend is yours."
        guard = guard_lines(site, material, by)
        yield PlannedFile(snippet_of(site, "client"), as_file([note, *guard, pass_line(site)]))
        yield from client_files(site, material)
