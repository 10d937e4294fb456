"""OCSP: what a request asks, and the answer to be signed (RFC 6960, RFC 5019 and RFC 9654).

Decides which requests are well-formed and how an answer looks. Must not know where certificates are kept: their status
is handed in, as are times and the responder. One certificate a request, which is all that RFC 5019 clients ask.
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
from counterseal.pki import der_reader
from counterseal.pki.crl import RevocationReason

if TYPE_CHECKING:
    from datetime import datetime

MAX_REQUEST_BYTES = 4096
NONCE_OCTETS = range(16, 129)
"""Which nonces are repeated: RFC 9654 2.1 lets shorter ones be ignored, and has empty and longer ones refused."""

HASHES: dict[str, HashAlgorithm] = {one.name: one for one in (SHA1(), SHA256(), SHA384(), SHA512())}  # noqa: S303 - names a certificate (RFC 6960 4.3), protects nothing
_REASONS: dict[RevocationReason, x509.ReasonFlags] = {
    reason: x509.ReasonFlags[reason.value]
    for reason in RevocationReason
    if reason not in {RevocationReason.UNSPECIFIED, RevocationReason.REMOVE_FROM_CRL}
}


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
    """What there is to say about a certificate; ``known`` is False for one that the CA never issued."""

    known: bool
    revoked_at: datetime | None = None
    reason: RevocationReason | None = None


def read_request(content: bytes) -> Asked:
    """Return what a DER request asks; raises InputError ``ocsp.request``."""
    if len(content) > MAX_REQUEST_BYTES:
        raise _malformed(f"larger than {MAX_REQUEST_BYTES} bytes")
    try:
        request = ocsp.load_der_ocsp_request(content)
        hash_name, nonce = request.hash_algorithm.name, _nonce(request.extensions)
        asked = Asked(hash_name, request.issuer_name_hash, request.issuer_key_hash, request.serial_number, nonce)
    except (ValueError, TypeError, NotImplementedError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise _malformed(str(error)) from error
    if hash_name not in HASHES:
        raise _malformed(f"hash algorithm {hash_name}")
    return asked


def issuer_ids(ca: x509.Certificate) -> frozenset[tuple[str, bytes, bytes]]:
    """Return all ways in which a request may name this CA: by the hash of its name and of its key (RFC 6960 4.1.1)."""
    info = ca.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = der_reader.read(info).children()[1].content[1:]  # without the count of unused bits
    name = ca.subject.public_bytes()
    return frozenset((one.name, _digest(one, name), _digest(one, key)) for one in HASHES.values())


def answer(
    asked: Asked,
    status: CertificateStatus,
    responder: x509.Certificate,
    *,
    this_update: datetime,
    next_update: datetime,
) -> ocsp.OCSPResponseBuilder:
    """Return the answer, to be signed with the responder's key; its certificate travels along (RFC 6960 4.2.2.3)."""
    builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
        issuer_name_hash=asked.issuer_name_hash,
        issuer_key_hash=asked.issuer_key_hash,
        serial_number=asked.serial_number,
        algorithm=HASHES[asked.hash_name],
        cert_status=_word(status),
        this_update=this_update,
        next_update=next_update,
        revocation_time=status.revoked_at,
        revocation_reason=_REASONS.get(status.reason) if status.reason else None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, responder).certificates([responder])
    return builder if asked.nonce is None else builder.add_extension(x509.OCSPNonce(asked.nonce), critical=False)


def refusal(status: ocsp.OCSPResponseStatus) -> bytes:
    """Return the unsigned DER answer that says no more than why there is none (RFC 6960 4.2.1)."""
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


def _word(status: CertificateStatus) -> ocsp.OCSPCertStatus:
    if not status.known:
        return ocsp.OCSPCertStatus.UNKNOWN
    return ocsp.OCSPCertStatus.GOOD if status.revoked_at is None else ocsp.OCSPCertStatus.REVOKED


def _nonce(extensions: x509.Extensions) -> bytes | None:
    try:
        nonce = extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return None
    if not 1 <= len(nonce) < NONCE_OCTETS.stop:
        raise _malformed(f"nonce of {len(nonce)} octets")
    return nonce if len(nonce) in NONCE_OCTETS else None


def _digest(algorithm: HashAlgorithm, content: bytes) -> bytes:
    digest = Hash(algorithm)
    digest.update(content)
    return digest.finalize()


def _malformed(reason: str) -> InputError:
    return InputError("ocsp.request", f"not an OCSP request that can be answered: {reason}")
