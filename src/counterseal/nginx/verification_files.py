"""What nginx takes from the files of ``ssl_client_certificate``, ``ssl_trusted_certificate`` and ``ssl_crl``.

PEM only, and all of it or nothing: one broken block and nginx does not start. Until 1.27.2 the file of CRLs was read as
one of certificates and CRLs (X509_load_cert_crl_file), so that a certificate in it becomes a trust anchor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.nginx.version import supports
from counterseal.pki.reading import load_certificate, load_crl
from counterseal.pki.recognise import Encoding, recognise
from counterseal.pki.shape import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography import x509

    from counterseal.nginx.version import NginxVersion
    from counterseal.pki.recognise import Piece


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """What nginx takes from one file; ``emerg`` says why it does not start with it, None when it does."""

    certificates: tuple[x509.Certificate, ...] = ()
    crls: tuple[x509.CertificateRevocationList, ...] = ()
    emerg: str | None = None


def load_ca_file(content: bytes) -> LoadedFile:
    """Return the certificates of a file of CAs."""
    return _load(content, lambda kind: kind is Kind.CERTIFICATE, "no certificate in PEM")


def load_crl_file(content: bytes, version: NginxVersion) -> LoadedFile:
    """Return the lists of a file of CRLs, and the certificates that an old nginx takes from it into its store."""
    if supports(version, "shared_certificate_objects"):
        return _load(content, lambda kind: kind is Kind.CRL, "no revocation list in PEM")
    kinds = {Kind.CERTIFICATE, Kind.CRL}
    return _load(content, lambda kind: kind in kinds, "neither certificate nor revocation list in PEM")


def _load(content: bytes, is_taken: Callable[[Kind], bool], nothing: str) -> LoadedFile:
    blocks = [piece for piece in recognise(content) if piece.encoding is Encoding.PEM]
    broken = next((piece.problem for piece in blocks if piece.problem), None)
    taken = [piece for piece in blocks if is_taken(piece.kind)]
    if broken or not taken:
        return LoadedFile(emerg=broken or nothing)
    try:
        return LoadedFile(_certificates(taken), _crls(taken))
    except InputError as error:
        return LoadedFile(emerg=error.message)


def _certificates(pieces: list[Piece]) -> tuple[x509.Certificate, ...]:
    return tuple(load_certificate(piece, source="it") for piece in pieces if piece.kind is Kind.CERTIFICATE)


def _crls(pieces: list[Piece]) -> tuple[x509.CertificateRevocationList, ...]:
    return tuple(load_crl(piece.content) for piece in pieces if piece.kind is Kind.CRL)
