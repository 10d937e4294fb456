"""Certificates and CRLs out of a file of any form: PEM or DER, one or many, PKCS#7, with text between.

What a file holds is told by ``recognise``; here it is loaded for those who need certificates and nothing else. Names
inside are not judged.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.errors import InputError
from counterseal.pki.recognise import CERTIFICATE_LABELS, Piece, recognise
from counterseal.pki.shape import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

UNREADABLE = (ValueError, TypeError, x509.InvalidVersion)
"""What the library raises for a certificate or request whose DER it does not take."""


def certificates_in(content: bytes, *, source: str) -> tuple[x509.Certificate, ...]:
    """Return every certificate in ``content`` in its order, also those of a PKCS#7; ``source`` names it in errors.

    Keys and CRLs beside them are passed over. Raises InputError ``certificate.none`` when there is no certificate, and
    ``certificate.malformed`` when one cannot be read.
    """
    pieces = recognise(content)
    found = tuple(load_certificate(piece, source=source) for piece in _of_kind(pieces, Kind.CERTIFICATE))
    if not found:
        raise InputError("certificate.none", f"no certificate in {source}: {_instead(pieces)}")
    return found


def damage_in(content: bytes, *, source: str) -> tuple[str, ...]:
    """Say of every PEM block that calls itself a certificate and cannot be read what is wrong with it."""
    return tuple(
        f"{_place(piece, source)}: {piece.problem}"
        for piece in recognise(content)
        if piece.kind is Kind.UNKNOWN and piece.label in CERTIFICATE_LABELS
    )


def crls_in(content: bytes, *, source: str) -> tuple[bytes, ...]:
    """Return every CRL in ``content`` as DER, unread; raises InputError ``crl.none`` when there is none."""
    pieces = recognise(content)
    found = tuple(piece.content for piece in _of_kind(pieces, Kind.CRL))
    if not found:
        raise InputError("crl.none", f"no revocation list in {source}: {_instead(pieces)}")
    return found


def load_certificate(piece: Piece, *, source: str) -> x509.Certificate:
    """Return the certificate that a piece is; raises InputError ``certificate.malformed``.

    Its names and dates can be read, which the library puts off; extensions and key may still be unreadable.
    """
    try:
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # of what lint tells in words
            certificate = x509.load_der_x509_certificate(piece.content)
            _ = (
                certificate.subject,
                certificate.issuer,
                certificate.not_valid_before_utc,
                certificate.not_valid_after_utc,
            )
            return certificate
    except UNREADABLE as error:
        raise InputError("certificate.malformed", f"the certificate cannot be read: {_place(piece, source)}") from error


def load_der_certificate(content: bytes) -> x509.Certificate:
    """Return the certificate that DER is, nothing inside it read yet; raises InputError ``certificate.malformed``."""
    try:
        return x509.load_der_x509_certificate(content)
    except UNREADABLE as error:
        raise InputError("certificate.malformed", f"the certificate cannot be read: {error}") from error


def load_csr(piece: Piece, *, source: str) -> x509.CertificateSigningRequest:
    """Return the request that a piece is, its signature unverified; raises InputError ``csr.malformed``."""
    try:
        return x509.load_der_x509_csr(piece.content)
    except UNREADABLE as error:
        raise InputError("csr.malformed", f"the CSR cannot be read: {_place(piece, source)}") from error


def load_crl(content: bytes) -> x509.CertificateRevocationList:
    """Return the DER list as the library has it, its entries unread; raises InputError ``crl.malformed``."""
    try:
        return x509.load_der_x509_crl(content)
    except UNREADABLE as error:
        raise InputError("crl.malformed", f"not a readable certificate revocation list: {error}") from error


def _of_kind(pieces: Iterable[Piece], kind: Kind) -> Iterator[Piece]:
    for piece in pieces:
        if piece.kind is kind:
            yield piece
        yield from _of_kind(piece.inside, kind)


def _place(piece: Piece, source: str) -> str:
    return f"{source}, line {piece.line}" if piece.line else source


def _instead(pieces: tuple[Piece, ...]) -> str:
    first = pieces[0]
    return f"it is {first.kind.words}" if first.kind is not Kind.UNKNOWN else str(first.problem)
