"""What a machine asks for: a CSR signed by the key that stays with it (RFC 2986, RFC 7030 4.2.1 and 4.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519

from counterseal.pki.names import names_in
from counterseal.pki.subject import subject_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes


def first_request(
    key: CertificateIssuerPrivateKeyTypes, name: str | None, names: Sequence[x509.GeneralName] = ()
) -> x509.CertificateSigningRequest:
    """Ask for ``name`` as common name and ``names`` beside it; without a name, what the token stands for."""
    return _signed(key, subject_of(name) if name else x509.Name([]), x509.SubjectAlternativeName(names))


def next_request(
    key: CertificateIssuerPrivateKeyTypes, certificate: x509.Certificate
) -> x509.CertificateSigningRequest:
    """Ask for the same subject and names once more, as RFC 7030 4.2.2 has it."""
    return _signed(key, certificate.subject, x509.SubjectAlternativeName(names_in(certificate.extensions)))


def _signed(
    key: CertificateIssuerPrivateKeyTypes, subject: x509.Name, names: x509.SubjectAlternativeName
) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if tuple(names):
        builder = builder.add_extension(names, critical=not subject)
    own_hash = isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    return builder.sign(key, None if own_hash else hashes.SHA256())
