"""The client CAs that a server says it takes: the list in its CertificateRequest.

nginx fills it from ssl_client_certificate, so it shows from outside which CAs that file holds; a missing root or
another CA's file is seen there, when OpenSSL's last word is only that a CRL could not be found. RFC 8446 4.2.4 and
4.3.2, RFC 5246 7.4.4.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from cryptography import x509

if TYPE_CHECKING:
    from collections.abc import Iterator

_CERTIFICATE_AUTHORITIES = 47


class Listed(StrEnum):
    """Which CAs of a client's chain a server lists."""

    NONE = "none"
    ISSUER_ONLY = "issuer-only"
    ROOT = "root"


def read_authorities(message: bytes, tls_version: str) -> tuple[bytes, ...]:
    """Return the DER names in a CertificateRequest message (its header of four bytes included); none if malformed."""
    try:
        names = _tls13_names(message[4:]) if tls_version == "1.3" else _tls12_names(message[4:])
        return tuple(_vectors(names, 2))
    except IndexError:
        return ()


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


def _tls12_names(body: bytes) -> bytes:
    _types, rest = _vector(body, 1)
    _signature_algorithms, rest = _vector(rest, 2)
    return _vector(rest, 2)[0]


def _tls13_names(body: bytes) -> bytes:
    _context, rest = _vector(body, 1)
    extensions, _ = _vector(rest, 2)
    while extensions:
        kind = int.from_bytes(extensions[:2], "big")
        content, extensions = _vector(extensions[2:], 2)
        if kind == _CERTIFICATE_AUTHORITIES:
            return _vector(content, 2)[0]
    return b""


def _vectors(octets: bytes, size: int) -> Iterator[bytes]:
    while octets:
        content, octets = _vector(octets, size)
        yield content


def _vector(octets: bytes, size: int) -> tuple[bytes, bytes]:
    """Split off a vector whose length takes ``size`` bytes (RFC 8446 3.4); raises IndexError where it is cut short."""
    length = int.from_bytes(octets[:size], "big")
    if len(octets) < size + length:
        raise IndexError(length)
    return octets[size : size + length], octets[size + length :]
