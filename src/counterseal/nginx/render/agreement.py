"""What sites must agree on because they share an nginx: names, sockets, TLS profiles; and what each must bring.

``nginx -t`` says nothing of a profile that the default server overrules.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import chain
from typing import TYPE_CHECKING

from counterseal.errors import ConfigError
from counterseal.findings import Finding, Severity
from counterseal.nginx.render.inventory import uses_crl
from counterseal.nginx.site import Sessions, Site
from counterseal.nginx.together import conflicts
from counterseal.nginx.version import supports

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from counterseal.nginx.any_site import AnySite
    from counterseal.nginx.listen import Listen
    from counterseal.nginx.material import Material
    from counterseal.nginx.render.layout import Rendering
    from counterseal.nginx.version import NginxVersion


def refuse_disagreement(sites: Sequence[tuple[AnySite, Material]], version: NginxVersion) -> None:
    """Raise ConfigError ``nginx.sites`` with every finding, if there is any."""
    only = [site for site, _ in sites]
    web = [site for site in only if isinstance(site, Site)]
    streams = [site for site in only if not isinstance(site, Site)]
    found = [
        *_site_names(only),
        *conflicts(only),
        *([] if supports(version, "protocols_per_server") else _profiles(web)),
        *([] if supports(version, "stream") else _no_stream(streams, version)),
        *([] if supports(version, "stream_ocsp") else _no_stream_ocsp(streams, version)),
        *chain.from_iterable(_missing(site, material) for site, material in sites),
        *chain.from_iterable(_backends(site, material, version) for site, material in sites),
    ]
    if found:
        findings = tuple(found)
        message = f"cannot render these sites together: {findings[0].message}"
        raise ConfigError("nginx.sites", message, findings=findings, hint=findings[0].hint)


def tls_sockets(sites: Sequence[Site]) -> dict[Listen, tuple[Site, ...]]:
    """Return the sites on each TLS socket, sockets in the order met."""
    found: defaultdict[Listen, list[Site]] = defaultdict(list)
    for site in sites:
        for listen in site.listen:
            found[listen].append(site)
    return {listen: tuple(there) for listen, there in found.items()}


def session_zone(site: Site, sites: Sequence[Site], by: Rendering) -> str | None:
    """Return the session cache of a site, or None where sessions must stay off.

    A cache is given only to a site that is alone on all its sockets: a resumed session is not verified again, and what
    keeps one server's sessions out of another differs by version.
    """
    alone = all(tls_sockets(sites)[listen] == (site,) for listen in site.listen)
    if site.sessions is Sessions.CACHE and alone and supports(by.version, "session_zone"):
        return f"counterseal_{site.name}_g{by.generation}"
    return None


def _site_names(sites: Sequence[AnySite]) -> Iterator[Finding]:
    for name, count in Counter(site.name for site in sites).items():
        if count > 1:
            yield _fault(f"site name given twice: {name}")


def _no_stream(streams: Sequence[AnySite], version: NginxVersion) -> Iterator[Finding]:
    for site in streams:
        hint = "install an nginx built --with-stream and --with-stream_ssl_module"
        yield _fault(f"this nginx has no stream module with TLS, which site {site.name} asks for: {version}", hint)


def _no_stream_ocsp(streams: Sequence[AnySite], version: NginxVersion) -> Iterator[Finding]:
    for site in streams:
        if site.ocsp is not None or site.stapling:
            hint = "take nginx 1.29.7 or newer, or leave it to revocation, which needs nobody's answer"
            yield _fault(f"no ocsp or stapling at a stream site with this nginx: {site.name}: {version}", hint)


def _profiles(sites: Sequence[Site]) -> Iterator[Finding]:
    for listen, there in tls_sockets(sites).items():
        if len({site.tls for site in there}) > 1:
            names = ", ".join(site.name for site in there)
            hint = "give them one profile or separate sockets: this nginx takes that of the default server for all"
            yield _fault(f"sites on {listen} differ in their TLS profile: {names}", hint)


def _missing(site: AnySite, material: Material) -> Iterator[Finding]:
    if not site.verifies:
        return
    if not material.client_cas_pem:  # with no issuer to pin it is whole, and admits nobody
        yield _fault(f"no client CA certificates for site: {site.name}")
    if uses_crl(site, material) and not material.crl_pem:
        yield _fault(f"no CRL for site: {site.name}", 'publish one, or set revocation = "map"')


def _backends(site: AnySite, material: Material, version: NginxVersion) -> Iterator[Finding]:
    if any(upstream.is_grpc for upstream in site.upstreams) and not supports(version, "grpc"):
        hint = "install an nginx with HTTP/2 and the gRPC module, or use an https upstream"
        yield _fault(f"this nginx cannot pass on gRPC, which site {site.name} asks for: {version}", hint)
    if site.backend_names and material.upstream is None:
        yield _fault(f"no CA certificates for the backend of site: {site.name}")


def _fault(message: str, hint: str | None = None) -> Finding:
    return Finding("nginx.sites", Severity.CRITICAL, message, hint=hint)
