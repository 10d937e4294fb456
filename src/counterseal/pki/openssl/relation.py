"""What OpenSSL finds out about one certificate and about two of them (crypto/x509/v3_purp.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import SignatureAlgorithmOID

from counterseal.pki.constraints import comparable

if TYPE_CHECKING:
    from datetime import datetime

    from counterseal.pki.path.candidate import Candidate

# X509_supported_extension: what may be critical; key identifiers may not.
_SUPPORTED = frozenset({
    "2.16.840.1.113730.1.1", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.30", "2.5.29.31", "2.5.29.32",
    "2.5.29.33", "2.5.29.36", "2.5.29.37", "2.5.29.54", "1.3.6.1.5.5.7.1.14",
})  # fmt: skip
_EDWARDS = {SignatureAlgorithmOID.ED25519: ed25519.Ed25519PublicKey, SignatureAlgorithmOID.ED448: ed448.Ed448PublicKey}


def likely_issued(subject: Candidate, issuer: Candidate) -> bool:
    """Whether OpenSSL takes ``issuer`` for the issuer: name, key identifier, kind of key (ossl_x509_likely_issued)."""
    return (
        subject.issuer_key == issuer.subject_key
        and names_key_of(issuer, subject.value(x509.AuthorityKeyIdentifier))
        and _signs_with(issuer, subject)
    )


def names_key_of(issuer: Candidate, identifier: x509.AuthorityKeyIdentifier | None) -> bool:
    """Whether an authority key identifier fits a CA; what is absent on either side fits (X509_check_akid)."""
    if identifier is None:
        return True
    own = issuer.subject_key_identifier
    if None not in {identifier.key_identifier, own} and identifier.key_identifier != own:
        return False
    serial = identifier.authority_cert_serial_number
    if serial is not None and serial != issuer.certificate.serial_number:
        return False
    names = [one.value for one in identifier.authority_cert_issuer or () if isinstance(one, x509.DirectoryName)]
    return not names or tuple(comparable(names[0])) == issuer.issuer_key


def is_self_signed(candidate: Candidate) -> bool:
    """Whether the names are equal and nothing speaks against it; the signature is not looked at (EXFLAG_SS)."""
    return candidate.self_issued and likely_issued(candidate, candidate)


def is_current(candidate: Candidate, at: datetime) -> bool:
    """Whether a certificate is valid at ``at``; its last second is not (ossl_x509_check_cert_time)."""
    return candidate.certificate.not_valid_before_utc <= at < candidate.certificate.not_valid_after_utc


def has_unknown_critical_extension(candidate: Candidate) -> bool:
    """Whether a critical extension is none that OpenSSL knows (EXFLAG_CRITICAL)."""
    return any(one.critical and one.oid.dotted_string not in _SUPPORTED for one in candidate.extensions)


def security_bits_of_key(candidate: Candidate) -> int:
    """Return the strength of the key as security levels count it (EVP_PKEY_get_security_bits); 0 for unknown kinds."""
    key = candidate.public_key
    match key:
        case rsa.RSAPublicKey() | dsa.DSAPublicKey():
            return next((bits for size, bits in _FACTORING if key.key_size >= size), 0)
        case ec.EllipticCurvePublicKey():
            return next((bits for size, bits in _CURVES if key.key_size >= size), key.key_size // 2)
        case ed25519.Ed25519PublicKey():
            return 128
        case ed448.Ed448PublicKey():
            return 224
    return 0


def security_bits_of_signature(candidate: Candidate) -> int:
    """Return the strength of the signature's digest (X509_get_signature_info); 0 for unknown algorithms."""
    try:
        digest = candidate.certificate.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return 0
    if digest is None:
        return 128
    return {"sha1": 63, "md5": 39}.get(digest.name, digest.digest_size * 4)


_FACTORING = ((15_360, 256), (7680, 192), (3072, 128), (2048, 112), (1024, 80))
_CURVES = ((512, 256), (384, 192), (256, 128), (224, 112), (160, 80))


def _signs_with(issuer: Candidate, subject: Candidate) -> bool:
    """Whether the kind of key is that of the signature's algorithm (check_sig_alg_match)."""
    oid = subject.certificate.signature_algorithm_oid
    expected = _EDWARDS.get(oid)
    if expected is not None:
        return isinstance(issuer.public_key, expected)
    dotted = oid.dotted_string
    if dotted.startswith("1.2.840.10045.4."):
        return isinstance(issuer.public_key, ec.EllipticCurvePublicKey)
    if dotted.startswith("1.2.840.113549.1.1."):
        return isinstance(issuer.public_key, rsa.RSAPublicKey)
    return issuer.public_key is not None
