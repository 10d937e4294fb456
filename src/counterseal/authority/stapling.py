"""Whether nginx could staple an OCSP response to a site's certificate; where not, it only warns and staples none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from counterseal.errors import InputError
from counterseal.pki.extensions import extension_in

if TYPE_CHECKING:
    from counterseal.authority.site_certificate import ServerCertificate


def require_stapling(site: str, server: ServerCertificate) -> None:
    """Raise InputError ``site.stapling`` unless the certificate names a responder and comes with its issuer."""
    if not any(url.startswith("http://") for url in _responders(server.certificate)):
        hint = "set stapling = false, or use a certificate that names a responder (ours do once [serve] has http_url)"
        raise InputError("site.stapling", f"the certificate of site {site!r} names no OCSP responder", hint=hint)
    chain = x509.load_pem_x509_certificates(server.chain)
    if not any(certificate.subject == server.certificate.issuer for certificate in chain[1:]):
        hint = "add the certificate of its issuer to the file: nginx cannot ask about a certificate without it"
        raise InputError("site.stapling", f"the certificate of site {site!r} comes without its issuer", hint=hint)


def _responders(certificate: x509.Certificate) -> list[str]:
    access = extension_in(certificate.extensions, x509.AuthorityInformationAccess) or ()
    ocsp = AuthorityInformationAccessOID.OCSP
    return [str(one.access_location.value) for one in access if one.access_method == ocsp]
