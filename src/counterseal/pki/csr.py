"""Reading a certification request (RFC 2986): what it asks for, and proof that the asker holds the key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from counterseal.errors import InputError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

MAX_CSR_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class CSR:
    """A request whose signature was verified; its names are still only wishes."""

    subject: x509.Name
    names: tuple[x509.GeneralName, ...]
    public_key: CertificatePublicKeyTypes


def parse_csr(content: bytes) -> CSR:
    """Return the request in PEM or DER ``content``.

    Raises InputError: ``csr.too_large``, ``csr.malformed``, ``csr.signature``, ``csr.key``, ``csr.extensions``.
    """
    if len(content) > MAX_CSR_BYTES:
        raise InputError("csr.too_large", f"CSR is larger than {MAX_CSR_BYTES} bytes: {len(content)}")
    request = _load(content)
    public_key = _public_key(request)
    _check_signature(request)
    return CSR(_subject(request), _names(request), public_key)


def _load(content: bytes) -> x509.CertificateSigningRequest:
    try:
        if b"-----BEGIN" in content:
            return x509.load_pem_x509_csr(content)
        return x509.load_der_x509_csr(content)
    except ValueError as error:
        raise InputError(
            "csr.malformed",
            "not a certification request in PEM or DER",
            hint="make one with: openssl req -new -key KEY",
        ) from error


def _public_key(request: x509.CertificateSigningRequest) -> CertificatePublicKeyTypes:
    try:
        return request.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError("csr.key", f"the CSR's public key cannot be used: {error}") from error


def _check_signature(request: x509.CertificateSigningRequest) -> None:
    try:
        valid = request.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm):
        valid = False
    if not valid:
        raise InputError(
            "csr.signature",
            "the CSR's signature does not verify with its own public key",
            hint="the request was altered, or signed with another key: make it again",
        )


def _subject(request: x509.CertificateSigningRequest) -> x509.Name:
    try:
        return request.subject
    except ValueError as error:
        raise InputError("csr.subject", f"the CSR's subject cannot be read: {error}") from error


def _names(request: x509.CertificateSigningRequest) -> tuple[x509.GeneralName, ...]:
    try:
        return tuple(request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return ()
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise InputError("csr.extensions", f"the CSR's extensions cannot be read: {error}") from error
