"""What the files that a configuration names hold, read once and handed to the rules as values.

Decides nothing and opens nothing: bytes come from ``gather``. A file that is missing or cannot be read is a fact, too.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from counterseal.pki.lint.linted import Linted
from counterseal.pki.reading import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

_CLIENTS = ("proxy_ssl", "grpc_ssl", "uwsgi_ssl")
KEYS = ("ssl_certificate_key", *(f"{kind}_certificate_key" for kind in _CLIENTS))
"""Those that name a private key."""
_NAMES = ("certificate", "certificate_key", "trusted_certificate", "crl")
NAMING = frozenset(
    {"ssl_client_certificate", *(f"{kind}_{name}" for kind in ("ssl", *_CLIENTS) for name in _NAMES)},
)
"""The directives whose argument is a PEM file that nginx opens when it starts."""

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\r?\n.*?-----END \1-----", re.DOTALL)
_CERTIFICATES = frozenset({"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"})
_CRL = "X509 CRL"


@dataclass(frozen=True, slots=True)
class NamedFile:
    """One file. ``fault`` says why it could not be read; ``mode`` is its permission bits.

    ``labels`` are the PEM labels in their order, ``unreadable`` those of blocks that could not be decoded;
    ``public_key`` is the SubjectPublicKeyInfo of the first private key, None where it is encrypted or absent.
    """

    path: str
    fault: str | None = None
    mode: int | None = None
    labels: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    certificates: tuple[x509.Certificate, ...] = ()
    crls: tuple[x509.CertificateRevocationList, ...] = ()
    public_key: bytes | None = None

    @property
    def has_private_key(self) -> bool:
        """Whether a private key stands in it."""
        return any(label.endswith("PRIVATE KEY") for label in self.labels)


def read_pem(path: str, content: bytes, *, mode: int | None = None) -> NamedFile:
    """Return what the bytes of a PEM file hold; text around the blocks is skipped, as OpenSSL does."""
    labels, unreadable = [], []
    certificates: list[x509.Certificate] = []
    crls: list[x509.CertificateRevocationList] = []
    keys: list[bytes] = []
    for label, block in _blocks(content):
        labels.append(label)
        try:
            with warnings.catch_warnings(action="ignore"):  # of serial numbers, which old public roots have wrong
                if label in _CERTIFICATES:
                    certificates.append(_certificate(block))
                elif label == _CRL:
                    crls.append(_list(block))
                elif label.endswith("PRIVATE KEY") and b"ENCRYPTED" not in block:
                    keys.append(_public_half(block))
        except (*UNREADABLE, UnsupportedAlgorithm):
            unreadable.append(label)
    return NamedFile(
        path,
        mode=mode,
        labels=tuple(labels),
        unreadable=tuple(unreadable),
        certificates=tuple(certificates),
        crls=tuple(crls),
        public_key=keys[0] if keys else None,
    )


def public_half(certificate: x509.Certificate) -> PublicKeyTypes | None:
    """Return the public key of a certificate; None for one that the library does not take."""
    try:
        return certificate.public_key()
    except (*UNREADABLE, UnsupportedAlgorithm):
        return None


def encode_key(key: PublicKeyTypes) -> bytes:
    """Return the SubjectPublicKeyInfo of a key, for comparisons."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _blocks(content: bytes) -> Iterator[tuple[str, bytes]]:
    for match in _BLOCK.finditer(content):
        yield match[1].decode("ascii"), match[0] + b"\n"


def _certificate(block: bytes) -> x509.Certificate:
    """Load a certificate and touch what rules look at, so that nothing is found malformed later; raises ValueError."""
    loaded = x509.load_pem_x509_certificate(block)
    _ = (loaded.subject, loaded.issuer, loaded.not_valid_before_utc, loaded.not_valid_after_utc)
    Linted.of(loaded, ())  # the library warns of odd extensions, once
    return loaded


def _list(block: bytes) -> x509.CertificateRevocationList:
    loaded = x509.load_pem_x509_crl(block)
    _ = (loaded.issuer, loaded.last_update_utc, loaded.next_update_utc)
    return loaded


def _public_half(block: bytes) -> bytes:
    key = load_pem_private_key(block, None, unsafe_skip_rsa_key_validation=True)
    return encode_key(key.public_key())
