"""The OCSP part of a server block: what nginx asks about clients, and what it staples of its own certificate.

A cached answer outlives a reload, so its zone is named after the generation. For stapling nothing is added to
``ssl_trusted_certificate`` where clients are verified: what stands there verifies them, too. nginx takes an answer that
the issuer in the chain signed, or a signer whose root it holds anyway; where no client is verified, it gets the root.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.nginx.ocsp import OCSPCheck
from counterseal.nginx.render.words import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from counterseal.nginx.any_site import AnySite

# A responder that hangs holds each client as long as this; the default is 60 s. Until a request is read the timeout of
# the default server counts, so that is where it stands.
CLIENT_HEADER_TIMEOUT = "10s"
RESOLVER_TIMEOUT = "5s"


def patience_lines(sites: Iterable[AnySite]) -> Iterator[str]:
    """Yield how long a client may be held in the default server of a socket of these sites."""
    if any(site.ocsp is not None for site in sites):
        yield f"client_header_timeout {CLIENT_HEADER_TIMEOUT};"


def ocsp_lines(site: AnySite, generation: int) -> Iterator[str]:
    """Yield whether and where a client's certificate is asked about, and whether an answer about ours is stapled."""
    if site.ocsp is not None:
        yield f"ssl_ocsp {'on' if site.ocsp.check is OCSPCheck.CHAIN else 'leaf'};"
        if site.ocsp.responder is not None:
            yield f"ssl_ocsp_responder {quote(site.ocsp.responder)};"
        yield f"ssl_ocsp_cache shared:counterseal_{site.name}_ocsp_g{generation}:1m;"
    elif site.verifies:
        yield "ssl_ocsp off;"
    yield f"ssl_stapling {'on' if site.stapling else 'off'};"
    if site.stapling:
        yield "ssl_stapling_verify on;"
    if site.resolver:
        yield f"resolver {' '.join(site.resolver)};"
        yield f"resolver_timeout {RESOLVER_TIMEOUT};"
