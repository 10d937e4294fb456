"""What is wrong with the place that a site or a location leads to: its upstream, or its directory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.findings import Finding, Severity
from counterseal.nginx.upstream import Upstream
from counterseal.pki.names import dns_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.any_site import AnySite
    from counterseal.nginx.site import Location, Site
    from counterseal.nginx.upstream import Scheme

_ROOT = re.compile(r"(?:/[^/\x00-\x1f\x7f$\"'\\{};*?\[\]#]+)+/?|/")


def of_upstream(upstream: str | None, schemes: tuple[Scheme, ...]) -> Iterator[Finding]:
    """Faults of one upstream."""
    if upstream is not None:
        try:
            Upstream.parse(upstream, schemes)
        except InputError as error:
            yield _fault("upstream", error.message, error.hint)


def of_root(place: Site | Location) -> Iterator[Finding]:
    """Faults of one directory."""
    if place.upstream is not None and place.root is not None:
        yield _fault("upstream", "both upstream and root are set", "choose one")
    if place.root is not None and (not _ROOT.fullmatch(place.root) or ".." in place.root.split("/")):
        shown = repr(place.root if len(place.root) <= 80 else place.root[:80] + "...")  # noqa: PLR2004 - one line
        yield _fault("root", f"not a usable directory: {shown}", "an absolute path without $\"'\\{};")


def of_upstream_tls(site: AnySite) -> Iterator[Finding]:
    """Faults of the TLS with the backends of a site whose upstreams are sound; others are left to ``of_upstream``."""
    found = [upstream for text in site.upstream_texts if (upstream := _readable(text, site)) is not None]
    secured = [upstream for upstream in found if upstream.is_tls]
    if site.upstream_tls is None and secured:
        named = "{}" if secured[0].host else '{ name = "app.internal" }'
        hint = f"say whom nginx trusts there: upstream_tls = {named} for our own server CAs, or trust = FILE in it"
        yield _fault("upstream_tls", f"no upstream_tls for {secured[0].scheme}://{secured[0].address}", hint)
    if site.upstream_tls is None:
        return
    if not secured and len(found) == len(site.upstream_texts):
        yield _fault("upstream_tls", "upstream_tls without a TLS upstream", f"write {_tls_schemes(site)} before it")
    for upstream in secured:
        if site.upstream_tls.name_of(upstream) is None:
            hint = 'set upstream_tls.name to the DNS name in its certificate, such as name = "app.internal"'
            yield _fault("upstream_tls.name", f"nginx matches no IP address or socket: {upstream.address}", hint)
    yield from _name(site.upstream_tls.name)


def _name(name: str | None) -> Iterator[Finding]:
    try:
        is_name = name is None or (str(dns_name(name).value) == name and not name.startswith("*"))
    except InputError:
        is_name = False
    if not is_name:
        hint = "write a DNS name of the backend's certificate in lower case, without a wildcard"
        yield _fault("upstream_tls.name", f"not the name of a backend: {str(name)[:80]!r}", hint)


def _tls_schemes(site: AnySite) -> str:
    return " or ".join(f"{scheme}://" for scheme in site.schemes if Upstream(scheme, "").is_tls)


def _readable(text: str, site: AnySite) -> Upstream | None:
    try:
        return Upstream.parse(text, site.schemes)
    except InputError:
        return None


def _fault(where: str, message: str, hint: str | None = None) -> Finding:
    return Finding("site.invalid", Severity.CRITICAL, message, where=where, hint=hint)
