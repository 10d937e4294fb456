"""OCSP: what a request asks, and what can be said about a certificate (RFC 6960, RFC 5019 and RFC 9654).

Decides which requests are well-formed. Must not know where certificates are kept. A request names one certificate,
which is all that RFC 5019 clients ask, or a few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, Hash, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp

from counterseal.errors import InputError
from counterseal.pki import der, der_reader
from counterseal.pki.extensions import extension_in

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from counterseal.pki.crl import RevocationReason
    from counterseal.pki.der_reader import Element

MAX_REQUEST_BYTES = 4096
MAX_CERTIFICATES = 20
"""One signature answers for all of a request, but each is looked up."""

NONCE_OCTETS = range(16, 129)
"""Which nonces are repeated: RFC 9654 2.1 lets shorter ones be ignored, and has empty and longer ones refused."""

_NONCE = der.object_identifier("1.3.6.1.5.5.7.48.1.2")

HASHES: dict[str, HashAlgorithm] = {one.name: one for one in (SHA1(), SHA256(), SHA384(), SHA512())}  # noqa: S303 - names a certificate (RFC 6960 4.3), protects nothing


@dataclass(frozen=True, slots=True)
class Asked:
    """The certificate that a request names (CertID, RFC 6960 4.1.1), and its nonce; an ignored nonce is None."""

    hash_name: str
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial_number: int
    nonce: bytes | None

    @property
    def issuer(self) -> tuple[str, bytes, bytes]:
        """How the request names the CA; compare with ``issuer_ids``."""
        return self.hash_name, self.issuer_name_hash, self.issuer_key_hash


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """What there is to say about a certificate; ``known`` is False for one that the CA never issued.

    With ``revoked_at`` even that is revoked: whoever has the CA's key may have issued it.
    """

    known: bool
    revoked_at: datetime | None = None
    reason: RevocationReason | None = None


def read_request(content: bytes) -> tuple[Asked, ...]:
    """Return what a DER request asks, certificate by certificate; raises InputError ``ocsp.request``."""
    try:
        return tuple(_read_one(request) for request in _requests(content))
    except (ValueError, TypeError, NotImplementedError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise _malformed(str(error)) from error


def issuer_ids(ca: x509.Certificate) -> frozenset[tuple[str, bytes, bytes]]:
    """Return all ways in which a request may name this CA: by the hash of its name and of its key (RFC 6960 4.1.1)."""
    info = ca.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = der_reader.read(info).children()[1].content[1:]  # without the count of unused bits
    name = ca.subject.public_bytes()
    return frozenset((one.name, _digest(one, name), _digest(one, key)) for one in HASHES.values())


def _requests(content: bytes) -> tuple[ocsp.OCSPRequest, ...]:
    """Return the request, or where it has several certificates one for each: the library reads no others."""
    if len(content) > MAX_REQUEST_BYTES:
        raise _malformed(f"larger than {MAX_REQUEST_BYTES} bytes")
    try:
        alone = ocsp.load_der_ocsp_request(content)
    except NotImplementedError:  # it has read the whole, so the elements are there
        alone = None
    if alone is not None and der.TRUE not in content:  # so nothing is critical
        return (alone,)
    fields = der_reader.read(content).children()[0].children()
    at = next(index for index, field in enumerate(fields) if field.tag == der.SEQUENCE)  # after version, requestorName
    found = fields[at].children()
    _refuse_critical([*fields[at + 1 :], *(part for one in found for part in one.children()[1:])])
    if alone is not None:
        return (alone,)
    before, after = [field.whole for field in fields[:at]], [field.whole for field in fields[at + 1 :]]
    if not 1 <= len(found) <= MAX_CERTIFICATES:
        raise _malformed(f"{len(found)} certificates, not 1 to {MAX_CERTIFICATES}")
    each = (der.sequence(der.sequence(*before, der.sequence(one.whole), *after)) for one in found)
    return tuple(map(ocsp.load_der_ocsp_request, each))


def _refuse_critical(explicit: Iterable[Element]) -> None:
    """Refuse what has to be understood and is not: of all extensions of a request the nonce alone is (RFC 6960 4.4)."""
    for extension in (one for each in explicit for extensions in each.children() for one in extensions.children()):
        name, critical, *_ = extension.children()
        if critical.whole == der.TRUE and name.whole != _NONCE:
            raise _malformed("a critical extension that is not understood here")


def _read_one(request: ocsp.OCSPRequest) -> Asked:
    hash_name, nonce = request.hash_algorithm.name, _nonce(request.extensions)
    if hash_name not in HASHES:
        raise _malformed(f"hash algorithm {hash_name}")
    return Asked(hash_name, request.issuer_name_hash, request.issuer_key_hash, request.serial_number, nonce)


def _nonce(extensions: x509.Extensions) -> bytes | None:
    extension = extension_in(extensions, x509.OCSPNonce)
    if extension is None:
        return None
    nonce = extension.nonce
    if not 1 <= len(nonce) < NONCE_OCTETS.stop:
        raise _malformed(f"nonce of {len(nonce)} octets")
    return nonce if len(nonce) in NONCE_OCTETS else None


def _digest(algorithm: HashAlgorithm, content: bytes) -> bytes:
    digest = Hash(algorithm)
    digest.update(content)
    return digest.finalize()


def _malformed(reason: str) -> InputError:
    return InputError("ocsp.request", f"not an OCSP request that can be answered: {reason}")
