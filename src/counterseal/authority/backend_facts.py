"""What the proof has to know of a site's TLS backends: where it plays them, and what nginx must show it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.parts import ROOT
from counterseal.handshake.observation import STATUS_PATH, UPSTREAM_PATHS
from counterseal.handshake.site import BackendFacts
from counterseal.nginx.upstream import BackendCertificate, Scheme
from counterseal.pki.pem import encode_certificates

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.authority.parts import Authority
    from counterseal.nginx.any_site import AnySite

_DIRECTIVES = {Scheme.HTTPS: "proxy", Scheme.GRPCS: "grpc"}


def backend_facts(
    authority: Authority, site: AnySite, generation: Path, *, socket: Path, is_ours: bool
) -> BackendFacts | None:
    """Return the facts, None for a site without a TLS backend, or without one in this generation.

    Which certificate nginx shows is read from the generation.
    """
    if not site.backend_names or not (generation / "sites" / f"{site.name}.upstream-cas.pem").is_file():
        return None
    shown = generation / "sites" / f"{site.name}.upstream-chain.pem"
    chain = x509.load_pem_x509_certificates(shown.read_bytes()) if shown.is_file() else []
    issued = site.upstream_tls is not None and site.upstream_tls.certificate is BackendCertificate.ISSUED
    # Of a certificate of ours the root alone is an anchor, so that nginx has to send the intermediates.
    anchors = [authority.issuer(ROOT).trust_anchor] if issued else chain
    return BackendFacts(
        socket=socket,
        paths=tuple(UPSTREAM_PATHS.get(_DIRECTIVES.get(scheme, ""), STATUS_PATH) for scheme in site.backend_names),
        client_serial=chain[0].serial_number if chain else None,
        client_anchors=encode_certificates(*anchors) if chain else None,
        is_ours=is_ours,
    )
