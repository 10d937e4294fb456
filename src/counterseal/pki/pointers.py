"""Where a certificate says that its issuer publishes: CRL distribution point and authority information access.

By plain http, as RFC 5280 section 8 has it: fetching them over TLS would need the very check that they are for.
RFC 5280 4.2.1.13 and 4.2.2.1.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from counterseal.pki import der

CRL_DISTRIBUTION_POINTS, AUTHORITY_INFORMATION_ACCESS = "2.5.29.31", "1.3.6.1.5.5.7.1.1"


def pointers(published_at: str, ca: str) -> tuple[bytes, ...]:
    """Return the extensions, DER, that certificates of this CA carry; ``published_at`` is a URL without a slash."""
    point = x509.DistributionPoint([_uri(f"{published_at}/crl/{ca}.crl")], None, None, None)
    access = x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(AuthorityInformationAccessOID.OCSP, _uri(f"{published_at}/ocsp/{ca}")),
            x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, _uri(f"{published_at}/ca/{ca}.crt")),
        ]
    )
    return (
        der.extension(CRL_DISTRIBUTION_POINTS, x509.CRLDistributionPoints([point]).public_bytes(), critical=False),
        der.extension(AUTHORITY_INFORMATION_ACCESS, access.public_bytes(), critical=False),
    )


def _uri(text: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(text)
