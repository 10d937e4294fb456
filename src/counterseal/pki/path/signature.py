"""Whether a certificate was signed by a key (RFC 5280 6.1.3 (a)(1)).

With the keys of the cryptography library, but not by its ``verify_directly_issued_by``: that reads the issuer's key and
compares the names once more, and refuses SHA-1 and names that are equal only by RFC 5280 7.1, which are judged apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa

from counterseal.errors import InputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    from counterseal.pki.path.candidate import Candidate

    Signed = bytes | memoryview
    Algorithm = tuple[HashAlgorithm | None, padding.PSS | padding.PKCS1v15 | ec.ECDSA | None]

_UNVERIFIABLE = (ValueError, TypeError, UnsupportedAlgorithm, InputError)


def signature_fault(subject: Candidate, issuer: Candidate) -> str | None:
    """Return why ``issuer``'s key does not verify the signature of ``subject``; None when it does."""
    try:
        return _fault(subject, issuer)
    except InvalidSignature:
        return "the issuer's key does not verify it"
    except _UNVERIFIABLE as error:
        return f"it cannot be verified: {error}"


def is_signed(signed: Signed, signature: bytes, key: CertificatePublicKeyTypes | None, by: Algorithm) -> bool:
    """Whether ``key`` made ``signature`` over ``signed`` by an algorithm; False also where it cannot be known."""
    try:
        return key is not None and _verify(key, signature, signed, by) is None
    except (InvalidSignature, *_UNVERIFIABLE):
        return False


def _fault(subject: Candidate, issuer: Candidate) -> str | None:
    certificate = subject.certificate
    if issuer.public_key is None:
        return "the issuer's public key cannot be used"
    octets = subject.octets
    if octets.named_algorithm != octets.algorithm:  # RFC 5280 4.1.1.2
        return "it names one algorithm inside and another outside what is signed"
    is_rsa = isinstance(issuer.public_key, rsa.RSAPublicKey)  # the others' algorithms have no parameters
    by = (certificate.signature_hash_algorithm, certificate.signature_algorithm_parameters if is_rsa else None)
    return _verify(issuer.public_key, certificate.signature, octets.signed, by)


def _verify(key: CertificatePublicKeyTypes, signature: bytes, signed: Signed, by: Algorithm) -> str | None:
    digest, parameters = by
    if isinstance(key, rsa.RSAPublicKey) and digest is not None:
        scheme = parameters if isinstance(parameters, padding.PSS) else padding.PKCS1v15()
        key.verify(signature, signed, scheme, digest)  # type: ignore[arg-type] # takes every buffer
    elif isinstance(key, ec.EllipticCurvePublicKey) and digest is not None:
        key.verify(signature, signed, ec.ECDSA(digest))
    elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        key.verify(signature, signed)
    else:
        return "the issuer's key is of another kind than the signature"
    return None
