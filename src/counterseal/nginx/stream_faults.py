"""What is wrong with a stream site, beside what may be wrong with any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.findings import Finding, Severity
from counterseal.nginx.faults import of_any_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.stream_site import StreamSite


def of_stream(site: StreamSite) -> Iterator[Finding]:
    """Every fault of a stream site whose parts are already sound."""
    yield from of_any_site(site)
    if site.upstream is None:
        yield _fault("upstream", "nothing to lead to: no upstream", 'set upstream = "127.0.0.1:5432"')
    if site.client_certificates != "required":
        hint = 'set client_certificates = "required": without a certificate a stream site would let everybody in'
        yield _fault("client_certificates", f"a stream site with {site.client_certificates.value} certificates", hint)
    if site.upstream_tls is not None and site.upstream_tls.relay_400:
        yield _fault("upstream_tls.relay_400", "relay_400 at a stream site, which knows no HTTP", "leave it out")


def _fault(where: str, message: str, hint: str) -> Finding:
    return Finding("site.invalid", Severity.CRITICAL, message, where=where, hint=hint)
