"""The answer to an OCSP request, put together and signed (RFC 6960 4.2.1).

Decides how an answer looks: the responder named by the hash of its key, its certificate with it. Must not ask a clock:
statuses, times and the signer are handed in. The library's builder, with which the tests compare, has room for one
certificate, and signs with keys in memory only.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from counterseal.pki import der
from counterseal.pki.crl import REASON_NUMBERS, RevocationReason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from counterseal.pki.ocsp import Asked, CertificateStatus
    from counterseal.pki.signer import Signer

    Answered = tuple[Asked, CertificateStatus]

_BASIC = der.object_identifier("1.3.6.1.5.5.7.48.1.1")
_NONCE = "1.3.6.1.5.5.7.48.1.2"
_GOOD, _UNKNOWN, _REVOKED = 0x80, 0x82, 1
_HASHES = {
    "sha1": der.sequence(der.object_identifier("1.3.14.3.2.26"), der.NULL),
    "sha256": der.sequence(der.object_identifier("2.16.840.1.101.3.4.2.1"), der.NULL),
    "sha384": der.sequence(der.object_identifier("2.16.840.1.101.3.4.2.2"), der.NULL),
    "sha512": der.sequence(der.object_identifier("2.16.840.1.101.3.4.2.3"), der.NULL),
}


def answer(
    answered: Sequence[Answered],
    responder: x509.Certificate,
    signer: Signer,
    *,
    this_update: datetime,
    next_update: datetime,
) -> bytes:
    """Return the DER OCSPResponse that says all this, with the nonce of the first (they are of one request).

    ``signer`` has the key of the ``responder``, which the CA of all these certificates has certified. Raises
    KeyAccessError.
    """
    times = der.generalized_time(this_update), der.explicit(0, der.generalized_time(next_update))
    singles = (der.sequence(_cert_id(asked), _status(status), *times) for asked, status in answered)
    nonce = answered[0][0].nonce
    extensions = [] if nonce is None else [der.extension(_NONCE, der.octet_string(nonce), critical=False)]
    by_key, certificates = _said_by(responder)
    tbs = der.sequence(
        by_key,
        times[0],
        der.sequence(*singles),
        der.extensions(extensions, tag=1) if extensions else b"",
    )
    basic = der.sequence(tbs, signer.signature_algorithm, der.bit_string(signer.sign(tbs)), certificates)
    return der.sequence(der.enumerated(0), der.explicit(0, der.sequence(_BASIC, der.octet_string(basic))))


def refusal(status: ocsp.OCSPResponseStatus) -> bytes:
    """Return the unsigned DER answer that says no more than why there is none (RFC 6960 4.2.1)."""
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


@lru_cache(maxsize=64)
def _said_by(responder: x509.Certificate) -> tuple[bytes, bytes]:
    """Return the ResponderID and the certificates field, which are the same in all its answers."""
    key_hash = x509.SubjectKeyIdentifier.from_public_key(responder.public_key()).digest
    return (
        der.explicit(2, der.octet_string(key_hash)),
        der.explicit(0, der.sequence(responder.public_bytes(Encoding.DER))),
    )


def _cert_id(asked: Asked) -> bytes:
    """Return the CertID as it was asked (RFC 6960 4.1.1)."""
    hashes = der.octet_string(asked.issuer_name_hash), der.octet_string(asked.issuer_key_hash)
    return der.sequence(_HASHES[asked.hash_name], *hashes, der.integer(asked.serial_number))


def _status(status: CertificateStatus) -> bytes:
    """Return the CertStatus; the reason is left out where none was given (RFC 5280 5.3.1)."""
    if status.revoked_at is None:
        return der.wrap(_GOOD if status.known else _UNKNOWN)
    number = REASON_NUMBERS[status.reason or RevocationReason.UNSPECIFIED]
    reason = der.explicit(0, der.enumerated(number)) if number else b""
    return der.explicit(_REVOKED, der.generalized_time(status.revoked_at), reason)
