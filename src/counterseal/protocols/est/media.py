"""What goes over the wire: base64 of DER under the media types of RFC 7030 3.2.4, as RFC 8951 3 has it clarified.

Blanks and line breaks within base64 are passed over when reading, and never written, because not every client does so
too (strongSwan's). The header Content-Transfer-Encoding is not looked at, and sent to those made before RFC 8951.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from starlette.responses import Response

from counterseal.errors import InputError
from counterseal.pki import der

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

REQUEST = "application/pkcs10"
CERTIFICATES = "application/pkcs7-mime; smime-type=certs-only"
ATTRIBUTES = "application/csrattrs"
PRIVATE_KEY = "application/pkcs8"
_BASE64 = {"Content-Transfer-Encoding": "base64", "Cache-Control": "no-store"}
_SET = 0x31

EC_PUBLIC_KEY, P256 = "1.2.840.10045.2.1", "1.2.840.10045.3.1.7"
ECDSA_SHA256, EXTENSION_REQUEST = "1.2.840.10045.4.3.2", "1.2.840.113549.1.9.14"


def read_base64(body: bytes) -> bytes:
    """Return the octets; raises InputError ``est.base64``."""
    text = b"".join(body.split())
    try:
        octets = base64.b64decode(text, validate=True)
    except ValueError as error:
        hint = "send what this writes: openssl req -in FILE -outform DER | base64"
        raise InputError("est.base64", "the body is not base64 of a request in DER", hint=hint) from error
    if not octets:
        raise InputError("est.base64", "the body is empty: it is to be a certification request")
    return octets


def certificates(found: Sequence[x509.Certificate]) -> Response:
    """Return a certs-only CMC Simple PKI Response (RFC 5272 4.1)."""
    return Response(base64.b64encode(_certs_only(found)), headers=_BASE64, media_type=CERTIFICATES)


def csr_attributes() -> Response:
    """Return what a request should have (RFC 7030 4.5.2): a P-256 key, ECDSA with SHA-256, names as an extension."""
    key = der.sequence(der.object_identifier(EC_PUBLIC_KEY), der.wrap(_SET, der.object_identifier(P256)))
    wished = der.sequence(key, der.object_identifier(ECDSA_SHA256), der.object_identifier(EXTENSION_REQUEST))
    return Response(base64.b64encode(wished), headers=_BASE64, media_type=ATTRIBUTES)


def key_and_certificate(private_key: bytes, certificate: x509.Certificate, boundary: str) -> Response:
    """Return a key (PKCS#8 in DER) and its certificate as two parts of one body (RFC 7030 4.4.2)."""
    parts = [(PRIVATE_KEY, private_key), (CERTIFICATES, _certs_only([certificate]))]
    body = b"".join(_part(boundary, media_type, content) for media_type, content in parts)
    media_type = f"multipart/mixed; boundary={boundary}"
    return Response(body + f"--{boundary}--\r\n".encode(), headers={"Cache-Control": "no-store"}, media_type=media_type)


def _part(boundary: str, media_type: str, content: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head.encode() + base64.b64encode(content) + b"\r\n"


def _certs_only(found: Sequence[x509.Certificate]) -> bytes:
    return pkcs7.serialize_certificates(list(found), Encoding.DER)
