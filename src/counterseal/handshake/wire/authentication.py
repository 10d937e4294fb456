"""Certificate, CertificateRequest, CertificateVerify and CertificateStatus in both versions' forms.

RFC 8446 4.3.2, 4.4.2 and 4.4.3; RFC 5246 7.4.2, 7.4.4 and 7.4.8; RFC 6066 8; RFC 8879.
"""

from __future__ import annotations

from counterseal.handshake.wire.hello import CERTIFICATE_AUTHORITIES, SIGNATURE_ALGORITHMS, read_extensions
from counterseal.handshake.wire.messages import (
    Certificate,
    CertificateRequest,
    CertificateStatus,
    CertificateVerify,
    CompressedCertificate,
)
from counterseal.handshake.wire.numbers import TLS13
from counterseal.handshake.wire.reader import Reader

_STATUS_REQUEST = 5


def certificate(body: Reader, version: int) -> Certificate:
    """Read a Certificate: in TLS 1.3 after a context, and with extensions behind each entry."""
    if version < TLS13:
        return Certificate(body.vectors(3, 3))
    _context, entries = body.vector(1), body.inner(3)
    chain, stapled = [], False
    for _ in entries.repeat():
        chain.append(entries.vector(3))
        stapled |= any(one.number == _STATUS_REQUEST for one in read_extensions(entries))
    return Certificate(tuple(chain), stapled)


def certificate_request(body: Reader, version: int) -> CertificateRequest:
    """Read a CertificateRequest."""
    if version < TLS13:
        types = body.numbers(1, 1)
        return CertificateRequest(body.numbers(2, 2), body.vectors(2, 2), types)
    _context, extensions = body.vector(1), read_extensions(body)
    held = dict(extensions)
    schemes, authorities = held.get(SIGNATURE_ALGORITHMS), held.get(CERTIFICATE_AUTHORITIES)
    return CertificateRequest(
        signature_schemes=() if schemes is None else Reader(schemes).numbers(2, 2),
        authorities=() if authorities is None else Reader(authorities).vectors(2, 2),
        extensions=tuple(one.number for one in extensions),
    )


def certificate_verify(body: Reader) -> CertificateVerify:
    """Read a CertificateVerify; the form is the same since TLS 1.2."""
    return CertificateVerify(body.number(2), len(body.vector(2)))


def certificate_status(body: Reader) -> CertificateStatus:
    """Read a CertificateStatus of TLS 1.2."""
    _kind = body.number(1)
    return CertificateStatus(len(body.vector(3)))


def compressed_certificate(body: Reader) -> CompressedCertificate:
    """Read a CompressedCertificate, without unpacking it."""
    algorithm, length = body.number(2), body.number(3)
    body.vector(3)
    return CompressedCertificate(algorithm, length)
