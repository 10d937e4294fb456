"""The client CAs that a server says it takes: the list in its CertificateRequest.

nginx fills it from ssl_client_certificate, so it shows from outside which CAs that file holds; a missing root or
another CA's file is seen there, when OpenSSL's last word is only that a CRL could not be found. RFC 8446 4.2.4 and
4.3.2, RFC 5246 7.4.4.
"""

from __future__ import annotations

from enum import StrEnum

from cryptography import x509

from counterseal.handshake.wire.decode import HANDSHAKE, Agreed, decode
from counterseal.handshake.wire.messages import CertificateRequest
from counterseal.handshake.wire.numbers import TLS12, TLS13


class Listed(StrEnum):
    """Which CAs of a client's chain a server lists."""

    NONE = "none"
    ISSUER_ONLY = "issuer-only"
    ROOT = "root"


def read_authorities(message: bytes, tls_version: str) -> tuple[bytes, ...]:
    """Return the DER names in a CertificateRequest message (its header of four bytes included); none if malformed."""
    request = decode(HANDSHAKE, message, Agreed(TLS13 if tls_version == "1.3" else TLS12))
    return request.authorities if isinstance(request, CertificateRequest) else ()


def listed(chain: bytes, authorities: tuple[bytes, ...]) -> Listed | None:
    """Say which CAs of the PEM ``chain`` (end entity first, no root) are listed; None where that is unknown."""
    if not authorities:
        return None
    try:
        issuers = [certificate.issuer.public_bytes() for certificate in x509.load_pem_x509_certificates(chain)]
    except ValueError:
        return None
    if issuers[-1] in authorities:
        return Listed.ROOT
    return Listed.ISSUER_ONLY if issuers[0] in authorities else Listed.NONE
