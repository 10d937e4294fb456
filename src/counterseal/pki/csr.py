"""Reading a certification request (RFC 2986): what it asks for, and proof that the asker holds the key.

Whatever bytes come in, a CSR with a verified signature comes out or an InputError; whether its wishes are granted is
the policy's. Of the extensions asked for (RFC 2985 5.4.2) only the names and must-staple count; the profile decides on
all others. Some of these change what a certificate means, and none here has them: who issues to programs refuses one
with ``unmet``; a person is warned.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import PublicKeyAlgorithmOID

from counterseal.errors import InputError
from counterseal.pki.extensions import UNREADABLE, extension_in, must_staple
from counterseal.pki.names import names_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

MAX_CSR_BYTES = 64 * 1024

_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_REQUEST_LABELS = frozenset({b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST"})
EXTENSION_REQUESTS = frozenset({"1.2.840.113549.1.9.14", "1.3.6.1.4.1.311.2.1.14"})
CHALLENGE = "1.2.840.113549.1.9.7"  # challengePassword, RFC 2985 5.4.1
PSS_ALONE = "it is for RSA-PSS alone (id-RSASSA-PSS), which no certificate here says"
PSS_HINT = "make one with: openssl genpkey -algorithm RSA; that signs by PSS as well"
_HINT = "make one with: openssl req -new -key KEY"


@dataclass(frozen=True, slots=True)
class CSR:
    """A request whose signature was verified; its names are still only wishes."""

    subject: x509.Name
    names: tuple[x509.GeneralName, ...]
    public_key: CertificatePublicKeyTypes
    challenge_password: bytes | None = field(default=None, repr=False)
    attributes: frozenset[str] = frozenset()
    """The object identifiers of its attributes."""

    must_staple: bool = False
    """Whether its server shall be refused without a stapled OCSP response (RFC 7633)."""

    unmet: tuple[str, ...] = ()
    """What it asks for and no certificate here gets, in words: to be a CA, or another TLS feature."""


def parse_csr(content: bytes, *, signed: bool = True) -> CSR:
    """Return the request in PEM or DER ``content``; text before the PEM is skipped.

    Without ``signed`` nobody claims to hold the key (RFC 7030 4.4.1).
    Raises InputError: ``csr.too_large``, ``csr.malformed``, ``csr.key``, ``csr.signature``, ``csr.subject``,
    ``csr.extensions``.
    """
    if len(content) > MAX_CSR_BYTES:
        raise InputError("csr.too_large", f"CSR is larger than {MAX_CSR_BYTES} bytes: {len(content)}")
    request = _load(content)
    public_key = _public_key(request)
    if signed:
        _check_signature(request)
    extensions = _extensions(request)
    attributes = {one.oid.dotted_string: one.value for one in request.attributes}
    return CSR(
        _subject(request),
        names_in(extensions),
        public_key,
        attributes.get(CHALLENGE),
        frozenset(attributes),
        must_staple(extensions),
        tuple(_unmet(extensions)),
    )


def _load(content: bytes) -> x509.CertificateSigningRequest:
    labels = _LABEL.findall(content)
    _check_labels(labels)
    try:
        return x509.load_pem_x509_csr(content) if labels else x509.load_der_x509_csr(content)
    except (ValueError, x509.InvalidVersion) as error:
        raise InputError("csr.malformed", "not a certification request in PEM or DER", hint=_HINT) from error


def _check_labels(labels: list[bytes]) -> None:
    requests = [label for label in labels if label in _REQUEST_LABELS]
    if labels and not requests:
        raise InputError("csr.malformed", f"not a certification request but: {labels[0].decode()}", hint=_HINT)
    if len(requests) > 1:
        raise InputError(
            "csr.malformed", f"{len(requests)} certification requests in one file", hint="give one at a time"
        )


def is_for_pss(request: x509.CertificateSigningRequest) -> bool:
    """Whether the key is one for RSA-PSS alone (RFC 4055 1.2), which the library has as any RSA key."""
    kind: x509.ObjectIdentifier = request.public_key_algorithm_oid  # type: ignore[attr-defined] # its stubs lack it
    return kind == PublicKeyAlgorithmOID.RSASSA_PSS


def _public_key(request: x509.CertificateSigningRequest) -> CertificatePublicKeyTypes:
    if is_for_pss(request):
        raise InputError("csr.key", f"the CSR's public key cannot be used: {PSS_ALONE}", hint=PSS_HINT)
    try:
        return request.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(
            "csr.key", "the CSR's public key cannot be used", hint="use P-256, P-384, P-521, RSA or Ed25519"
        ) from error


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
        with warnings.catch_warnings(action="ignore"):  # of over-long values, which the policy will refuse in words
            return request.subject
    except UNREADABLE as error:
        raise InputError("csr.subject", "the CSR's subject cannot be read") from error


def _extensions(request: x509.CertificateSigningRequest) -> x509.Extensions:
    try:
        requested = sum(attribute.oid.dotted_string in EXTENSION_REQUESTS for attribute in request.attributes)
        extensions = request.extensions
    except UNREADABLE as error:
        raise InputError("csr.extensions", "the CSR's extensions cannot be read") from error
    if requested > 1:
        raise InputError("csr.extensions", f"the CSR asks for extensions {requested} times")
    return extensions


def _unmet(extensions: x509.Extensions) -> Iterator[str]:
    constraints = extension_in(extensions, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        yield "to be a CA (basicConstraints CA:TRUE)"
    if must_staple(extensions) and len(extension_in(extensions, x509.TLSFeature) or ()) > 1:
        yield "status_request_v2 beside must-staple (tlsfeature)"
