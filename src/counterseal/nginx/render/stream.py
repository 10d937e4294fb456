"""The stream block: one server per stream site, and the map that decides where an admitted connection goes.

nginx ends a connection whose certificate does not verify by itself, after the handshake. What it admits is decided by
the same map as at HTTP sites; whoever is refused there is led to a socket that does not exist. A probe never reaches
the backend: it is led to the prover, on a socket that is named after the generation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.render.backend import ssl_lines
from counterseal.nginx.render.demand import demand_lines, gate, member_of
from counterseal.nginx.render.inventory import inventory_lines
from counterseal.nginx.render.layout import file_of
from counterseal.nginx.render.ocsp import CLIENT_HEADER_TIMEOUT, ocsp_lines
from counterseal.nginx.render.server import client_lines, socket_text
from counterseal.nginx.render.sizes import map_size_lines
from counterseal.nginx.render.tls import tls_lines
from counterseal.nginx.render.words import block, choose, quote, variable
from counterseal.nginx.version import supports
from counterseal.pki.profile import PROBE_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from counterseal.nginx.material import Material
    from counterseal.nginx.render.layout import Rendering
    from counterseal.nginx.stream_site import StreamSite

NOWHERE = "unix:/nonexistent/counterseal-refused"


def stream_lines(
    sites: Sequence[tuple[StreamSite, Material]],
    issuers: Mapping[str, int],
    by: Rendering,
    *,
    entries: int,
) -> Iterator[str]:
    """Yield what stands in a stream block; ``entries`` is the length of the longest list."""
    yield from stream_maps(sites, issuers, by, entries=entries)
    for site, material in sites:
        yield from block("server", _server(site, material, by))


def stream_maps(
    sites: Sequence[tuple[StreamSite, Material]],
    issuers: Mapping[str, int],
    by: Rendering,
    *,
    entries: int,
) -> Iterator[str]:
    """Yield what stands before the servers: sizes, the maps, and where they lead."""
    maps = [*inventory_lines(issuers, by.layout)]
    for site, material in sites:
        maps += [*_gate_map(site, material, issuers), *_target_map(site, by)]
    yield from map_size_lines(
        by.layout,
        taken=by.layout.stream_taken,
        entries=entries,
        variables=sum(line.startswith("map ") for line in maps),
    )
    yield from maps
    for site, _ in sites:
        yield _log_format(site)
        yield from block(f"upstream {_upstream(site)}", [f"server {quote(site.upstreams[0].address)};"])


def guard_lines(site: StreamSite, material: Material, by: Rendering) -> Iterator[str]:
    """Yield what a server needs to let in only whom the site admits, with ``pass_line``."""
    yield from tls_lines(site.tls, by.version)
    yield "ssl_session_tickets off;"
    yield "ssl_session_cache off;"
    if supports(by.version, "stream_ocsp"):
        yield from ocsp_lines(site, by.generation)
    if site.ocsp is not None:
        yield f"ssl_handshake_timeout {CLIENT_HEADER_TIMEOUT};"  # a responder that hangs holds the client as long
    yield from client_lines(site, material, by.layout)


def pass_line(site: StreamSite) -> str:
    """Return the directive that leads whoever is admitted to the upstream, and others nowhere."""
    return f"proxy_pass {variable(site.name, 'target')};"


def _gate_map(site: StreamSite, material: Material, issuers: Mapping[str, int]) -> Iterator[str]:
    yield from demand_lines(site, material, issuers, name=gate(site), none="496:missing", allow=site.allow)


def _target_map(site: StreamSite, by: Rendering) -> Iterator[str]:
    layout, generation = by.layout, by.generation
    probe = rf"[^|]*[|]{member_of(PROBE_GROUP)}"
    cases = [("default", NOWHERE)]
    cases.append((f"^200:{probe}", f"unix:{layout.prove_stream_socket(generation)}"))
    if site.allow.restricts:  # else a probe's refusal would look like any other, and prove nothing
        cases.append((f"^403:{probe}", f"unix:{layout.prove_stream_socket(generation, listed=False)}"))
    cases.append(("^200:[a-z]+[|]", _upstream(site)))
    yield from choose(f"{gate(site)}|$ssl_client_s_dn", variable(site.name, "target"), cases)


def _server(site: StreamSite, material: Material, by: Rendering) -> Iterator[str]:
    layout = by.layout
    yield from (f"listen {socket_text(listen)} ssl;" for listen in site.listen)
    yield f"access_log {layout.log('access.log')} {_upstream(site)};"
    yield f"error_log {layout.log('error.log')} info;"
    yield ""
    yield f"ssl_certificate {layout.place(file_of(site, 'chain.pem'))};"
    yield f"ssl_certificate_key {layout.place(file_of(site, 'key.pem'))};"
    yield from guard_lines(site, material, by)
    yield ""
    name = next(iter(site.backend_names.values()), None)
    if name is not None and material.upstream is not None:
        yield "proxy_ssl on;"
        yield from ssl_lines(site, layout, material.upstream, "proxy_ssl")
        yield f"proxy_ssl_name {quote(name)};"
    else:
        yield "proxy_ssl off;"
    yield pass_line(site)


def _log_format(site: StreamSite) -> str:
    return (
        f"log_format {_upstream(site)} '$remote_addr [$time_local] stream:{site.name} $status $bytes_sent "
        f'verify="$ssl_client_verify" serial=$ssl_client_serial issuer="$ssl_client_i_dn" dn="$ssl_client_s_dn" '
        f"decision={gate(site)} $ssl_protocol reused=$ssl_session_reused';"
    )


def _upstream(site: StreamSite) -> str:
    return f"counterseal_{site.name.replace('-', '_')}"
