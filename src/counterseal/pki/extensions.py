"""Reading the extensions of a certificate, request or list, also of one that the library refuses to read."""

from __future__ import annotations

from typing import TypeVar

from cryptography import x509

ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)

UNREADABLE = (
    ValueError,
    TypeError,  # a BIT STRING in a name
    KeyError,  # a TLS feature (RFC 7633) that the library does not know
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises for extensions that it cannot read."""


def read_extensions(
    read: x509.Certificate | x509.CertificateSigningRequest | x509.CertificateRevocationList,
) -> tuple[x509.Extensions | None, str | None]:
    """Return the extensions, or None and the reason why they cannot be read."""
    try:
        return read.extensions, None
    except UNREADABLE as error:
        return None, why_unreadable(error)


def why_unreadable(error: Exception) -> str:
    """Return the reason of one of ``UNREADABLE`` in words."""
    return f"TLS feature {error} is unknown" if isinstance(error, KeyError) else str(error) or type(error).__name__


def must_staple(extensions: x509.Extensions | None) -> bool:
    """Whether they demand that a stapled OCSP response comes with the certificate (RFC 7633)."""
    return x509.TLSFeatureType.status_request in (extension_in(extensions, x509.TLSFeature) or ())


def extension_in(extensions: x509.Extensions | None, kind: type[ExtensionT]) -> ExtensionT | None:
    """Return the value of the extension of this class, or None."""
    try:
        return extensions.get_extension_for_class(kind).value if extensions is not None else None
    except x509.ExtensionNotFound:
        return None
