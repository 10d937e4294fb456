"""Certificates good for every purpose: they lack extendedKeyUsage (RFC 5280 4.2.1.12), as other programs make them.

What was a server's is a client's as well: nginx lets whoever has its key in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.pki.extensions import extension_in, read_extensions

if TYPE_CHECKING:
    from counterseal.store.records import CertificateRecord


def is_of_any_purpose(record: CertificateRecord) -> bool:
    """Whether a certificate lacks extendedKeyUsage; not where it is not here, or cannot be read."""
    if record.certificate is None:
        return False
    extensions, fault = read_extensions(x509.load_der_x509_certificate(record.certificate))
    return fault is None and extension_in(extensions, x509.ExtendedKeyUsage) is None
