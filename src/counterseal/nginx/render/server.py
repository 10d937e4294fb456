"""Server blocks: one per site, one that rejects per TLS socket, and the redirects from plain HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.render.decision import check_lines, entry
from counterseal.nginx.render.inventory import uses_crl
from counterseal.nginx.render.layout import file_of
from counterseal.nginx.render.locations import location_lines
from counterseal.nginx.render.ocsp import ocsp_lines
from counterseal.nginx.render.pages import (
    default_server_pages,
    error_page_lines,
    page_locations,
    probe_location,
)
from counterseal.nginx.render.tls import HSTS, http2_lines, hygiene_lines, listen_line, session_lines, tls_lines
from counterseal.nginx.render.words import block, exact, quote
from counterseal.nginx.site import ClientCertificates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from counterseal.nginx.any_site import AnySite
    from counterseal.nginx.material import Material
    from counterseal.nginx.render.layout import Layout, Rendering
    from counterseal.nginx.site import Listen, Site, TLSProfile

HTTPS_PORT = 443
END = r"\z"


def site_server(site: Site, material: Material, by: Rendering, *, zone: str | None) -> Iterator[str]:
    """Yield the server block of a site; ``zone`` is the session cache it may use, if any."""
    layout, version = by.layout, by.version
    names = " ".join(name.lower() for name in site.server_names)
    yield from block(
        "server",
        [
            *(listen_line(socket_text(listen), version) for listen in site.listen),
            *http2_lines(version),
            f"server_name {names};",
            *log_lines(layout),
            *hygiene_lines(),
            "",
            f"ssl_certificate {layout.place(file_of(site, 'chain.pem'))};",
            f"ssl_certificate_key {layout.place(file_of(site, 'key.pem'))};",
            *tls_lines(site.tls, version),
            *session_lines(zone),
            *client_lines(site, material, layout),
            *ocsp_lines(site, by.generation),
            *([HSTS] if site.hsts else []),
            "",
            *error_page_lines(),
            *(check_lines(entry(site)) if site.verifies else ()),
            "",
            *page_locations(site),
            *probe_location(site),
            *location_lines(site, layout),
        ],
    )


def client_lines(site: AnySite, material: Material, layout: Layout) -> Iterator[str]:
    """Yield what is asked of clients; an empty value undoes what the user's http block may have set."""
    if not site.verifies:
        yield "ssl_verify_client off;"
        if site.stapling and material.stapling_cas_pem:
            yield f"ssl_trusted_certificate {layout.place(file_of(site, 'stapling-cas.pem'))};"
        return
    cas = layout.place(file_of(site, "client-cas.pem"))
    yield f"ssl_client_certificate {cas};"
    yield f"ssl_trusted_certificate {cas};"
    yield f"ssl_verify_client {'on' if site.client_certificates is ClientCertificates.REQUIRED else 'optional'};"
    yield f"ssl_verify_depth {material.verify_depth};"
    yield f"ssl_crl {layout.place(file_of(site, 'crl.pem')) if uses_crl(site, material) else chr(34) * 2};"


def default_server(
    sockets: Iterable[Listen], by: Rendering, *, profile: TLSProfile, zone: str | None, more: Iterable[str] = ()
) -> Iterator[str]:
    """Yield the server that refuses a handshake without SNI or with a foreign one, and a request for another name."""
    yield from block(
        "server",
        [
            *(listen_line(socket_text(listen), by.version, default=True) for listen in sockets),
            *http2_lines(by.version),
            "server_name _;",
            *log_lines(by.layout),
            *hygiene_lines(),
            "ssl_reject_handshake on;",
            *tls_lines(profile, by.version),
            *session_lines(zone),
            *more,
            *default_server_pages(),
        ],
    )


def redirect_servers(site: Site, layout: Layout) -> Iterator[str]:
    """Yield the plain HTTP servers of a site: each sends its own name, never one the client made up."""
    for name in map(str.lower, site.server_names if site.redirect_from else ()):
        port = "" if site.listen[0].port == HTTPS_PORT else f":{site.listen[0].port}"
        wildcard = name.startswith("*.")
        target = f"https://{'$host' if wildcard else name}{port}$request_uri"
        yield from block(
            "server",
            [
                *(f"listen {socket_text(listen)};" for listen in site.redirect_from),
                f"server_name {name};",
                *log_lines(layout),
                *(
                    [f"if ($host !~ {quote(f'^[a-z0-9.-]+{exact(name[1:])}{END}')}) {{ return 421; }}"]
                    if wildcard
                    else []
                ),
                f"return 301 {target};",
            ],
        )


def plain_default_server(sockets: Iterable[Listen], layout: Layout) -> Iterator[str]:
    """Yield the plain HTTP server for every other name; only where the whole nginx is ours."""
    listens = [f"listen {socket_text(listen)} default_server;" for listen in sockets]
    if listens:
        yield from block("server", [*listens, "server_name _;", *log_lines(layout), "return 421;"])


def log_lines(layout: Layout) -> Iterator[str]:
    """Yield where requests and the reasons of refused certificates, which nginx tells at level info, are written."""
    yield f"access_log {layout.log('access.log')} counterseal;"
    yield f"error_log {layout.log('error.log')} info;"


def socket_text(listen: Listen) -> str:
    """Return a socket as the listen directive has it."""
    return str(listen.port) if listen.address == "*" else str(listen)
