"""What the renderer writes is what the proof expects: every kind of site, on each nginx, across a revocation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from counterseal.files import write_fileset
from counterseal.handshake.generation import wait_for_generation
from counterseal.handshake.observation import Endpoint
from counterseal.handshake.prove import Proof, prove
from counterseal.handshake.rows import RowKind
from counterseal.handshake.sessions import remember_session
from counterseal.handshake.site import SiteFacts
from counterseal.nginx.material import Material
from counterseal.nginx.render import render
from counterseal.nginx.site import (
    Admit,
    Allow,
    ClientCertificates,
    IdentityHeaders,
    Listen,
    Location,
    Revocation,
    Sessions,
    Site,
    TLSProfile,
)
from counterseal.pki.shown import show_serial
from counterseal.pki.subject import nginx_name
from nginx_process import layout_of, nginx_binary, nginx_version, private_nginx, serve
from ports import free_port
from prove_pki import certificate_pem, key_pem, prove_pki

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.fileset import FileSet
    from counterseal.nginx.version import NginxVersion
    from nginx_process import PrivateNginx
    from pki_fixtures import Issued

__all__ = ["nginx_binary", "nginx_version", "private_nginx"]

pytestmark = pytest.mark.nginx
PKI = prove_pki()
NONE, OPTIONAL, REQUIRED = ClientCertificates
ADMIN = Location("/admin/", client_certificates=REQUIRED)
SITES: dict[str, dict[str, Any]] = {
    "required": {},
    "CRL alone": {"revocation": Revocation.CRL},
    "map alone": {"revocation": Revocation.MAP},
    "allow list": {"allow": Allow(subjects=("CN=alice",))},
    "allow list and map": {"allow": Allow(subjects=("CN=alice",)), "revocation": Revocation.MAP},
    "known only": {"admit": Admit.KNOWN},
    "sessions in a cache": {"sessions": Sessions.CACHE},
    "TLS 1.3 alone": {"tls": TLSProfile.MODERN},
    "optional, one path protected": {"client_certificates": OPTIONAL, "locations": (ADMIN,)},
    "one path with a list": {"locations": (Location("/admin/", allow=Allow(groups=("ops",))),)},
    "identity headers": {"identity_headers": IdentityHeaders.STANDARD},
    "RFC 9440": {"identity_headers": IdentityHeaders.RFC9440},
    "optional with identity headers": {"client_certificates": OPTIONAL, "identity_headers": IdentityHeaders.STANDARD},
    "one-way": {"client_certificates": NONE, "client_cas": ()},
}


@pytest.mark.parametrize("changes", SITES.values(), ids=list(SITES))
def test_a_rendered_site_passes_its_proof(
    changes: dict[str, Any], private_nginx: PrivateNginx, nginx_version: NginxVersion
) -> None:
    """Every row, the leaver's sessions included; sessions in a cache where this nginx can take them."""
    site, other = make_site("panel", **changes), make_site("other", client_certificates=NONE, client_cas=())
    other = replace(other, tls=site.tls, upstream="127.0.0.1:10")
    listen = (Listen("127.0.0.1", free_port()),)
    redirect = (Listen("127.0.0.1", free_port()),)
    sites = [replace(site, listen=listen, redirect_from=redirect), replace(other, listen=listen)]
    proof = revoke_and_prove(sites, private_nginx, nginx_version)
    failed = [(r.row.title, r.row.tls_version, r.expected, r.observed, r.cause) for r in proof.failed]
    assert failed == []
    tried = {row.row.kind for row in proof.rows if row.skipped is None}
    assert {RowKind.SERVER, RowKind.NO_CERTIFICATE, RowKind.NO_SNI, RowKind.REDIRECT} <= tried
    assert (RowKind.FORGED_HEADERS in tried) == (RowKind.UNLISTED in tried or site.admit is not Admit.KNOWN)


def make_site(name: str, **changes: Any) -> Site:  # noqa: ANN401 - any field of a site
    """Return a site of the bench's domain with an application that answers nothing."""
    fields: dict[str, Any] = {
        "name": name,
        "server_names": (f"{name}.prove.test",),
        "listen": (Listen("127.0.0.1", 1),),
        "client_cas": ("clients",),
        "upstream": "127.0.0.1:9",
    }
    return Site(**{**fields, **changes})


def revoke_and_prove(sites: Sequence[Site], nginx: PrivateNginx, version: NginxVersion) -> Proof:
    """Serve the sites, let the leaver in, revoke it in a second generation, and prove the first site."""
    address = (sites[0].listen[0].address, sites[0].listen[0].port)
    serve(nginx, files_of(sites, nginx, version, generation=1), address)
    facts = facts_of(sites, nginx, generation=2)
    leaver = remember_session(facts, PKI.leaving)
    # The old generation stays: since 1.27.2 nginx takes a file of the same inode and second for unchanged.
    write_fileset(nginx.base / "next", files_of(sites, nginx, version, generation=2))
    (nginx.base / "current").rename(nginx.base / "previous")
    (nginx.base / "next").rename(nginx.base / "current")
    nginx.reload()
    waited = wait_for_generation(facts.endpoints[0], 2, server_name=facts.server_name, timeout=30, in_a_row=10)
    assert waited.answered, nginx.log()
    return prove(facts, replace(PKI.identities, leaver=leaver))


def files_of(sites: Sequence[Site], nginx: PrivateNginx, version: NginxVersion, *, generation: int) -> FileSet:
    """Render the sites; in the second generation the leaver is revoked, too."""
    revoked = (PKI.revoked,) if generation == 1 else (PKI.revoked, PKI.leaver)
    pairs = [(site, material(revoked)) for site in sites]
    return render(pairs, version=version, generation=generation, layout=layout_of(nginx.base))


def material(revoked: Sequence[Issued]) -> Material:
    """Return what nginx must hold; everything that the client CA issued is known."""
    issued = (PKI.good, PKI.expired, PKI.revoked, PKI.leaver)
    files = PKI.files(leaver_revoked=PKI.leaver in revoked)
    return Material(
        certificate_chain=certificate_pem(PKI.server, PKI.server_ca),
        private_key=key_pem(PKI.server),
        client_cas_pem=files["client-ca.pem"],
        crl_pem=files["client-crl.pem"],
        issuer_dns=(nginx_name(PKI.client_ca.certificate.subject),),
        revoked=serials(revoked),
        known=serials([one for one in issued if one not in revoked]),
    )


def serials(issued: Sequence[Issued]) -> dict[str, list[str]]:
    """Return the serial numbers by issuer name."""
    name = nginx_name(PKI.client_ca.certificate.subject)
    return {name: [show_serial(one.certificate.serial_number) for one in issued]}


def facts_of(sites: Sequence[Site], nginx: PrivateNginx, *, generation: int) -> SiteFacts:
    """Return what the proof has to know of the first site."""
    site = sites[0]
    settled = site.revocation.settle(0)
    return SiteFacts(
        site=site.name,
        endpoints=(Endpoint("127.0.0.1", site.listen[0].port),),
        server_name=site.server_names[0],
        client_certificates=site.client_certificates.value,
        tls_versions=("1.3",) if site.tls is TLSProfile.MODERN else ("1.2", "1.3"),
        has_allow=site.allow.restricts,
        known_only=site.admit is Admit.KNOWN,
        revocation="map" if settled is Revocation.MAP else "both",
        asks_responder=site.ocsp is not None,
        resumption=site.sessions is Sessions.CACHE,
        other_server_names=tuple(other.server_names[0] for other in sites[1:]),
        plain_http=(Endpoint("127.0.0.1", site.redirect_from[0].port),),
        protected_paths=tuple(location.path for location in site.demanding),
        listed_paths=tuple(location.path for location in site.demanding if location.allow.restricts),
        identity_headers=True,
        prove_socket=nginx.base / "run" / "prove.sock",
        generation=generation,
        trust_anchors=certificate_pem(PKI.root),
        server_certificate_serial=PKI.server.certificate.serial_number,
    )
