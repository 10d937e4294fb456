"""Where a certificate says that its issuer publishes: CRL distribution point and authority information access.

By plain http, as RFC 5280 section 8 has it: fetching them over TLS would need the very check that they are for.
RFC 5280 4.2.1.13 and 4.2.2.1.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from counterseal.pki import der

RESPONDER_IN_DER = der.object_identifier(AuthorityInformationAccessOID.OCSP.dotted_string)
CRL_DISTRIBUTION_POINTS, AUTHORITY_INFORMATION_ACCESS = "2.5.29.31", "1.3.6.1.5.5.7.1.1"


def pointers(published_at: str, ca: str, *, ocsp: bool = True) -> tuple[bytes, ...]:
    """Return the extensions, DER, that certificates of this CA carry; ``published_at`` is a URL without a slash.

    Without ``ocsp`` nobody answers there: a client that insists on an answer would wait for none.
    """
    point = x509.DistributionPoint([_uri(f"{published_at}/crl/{ca}.crl")], None, None, None)
    responder = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, _uri(f"{published_at}/ocsp/{ca}"))
    issuer = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, _uri(f"{published_at}/ca/{ca}.crt"))
    access = x509.AuthorityInformationAccess([responder, issuer] if ocsp else [issuer])
    return (
        der.extension(CRL_DISTRIBUTION_POINTS, x509.CRLDistributionPoints([point]).public_bytes(), critical=False),
        der.extension(AUTHORITY_INFORMATION_ACCESS, access.public_bytes(), critical=False),
    )


def _uri(text: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(text)
