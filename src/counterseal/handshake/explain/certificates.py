"""Certificates and CA names from the wire in one line each; what cannot be read is said to be unreadable."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from counterseal.pki.extensions import UNREADABLE, must_staple
from counterseal.pki.keys import show_key
from counterseal.pki.names import show_name
from counterseal.pki.shown import printable, show_serial
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNREADABLE = (*UNREADABLE, UnsupportedAlgorithm)
_MOST_NAMES = 8


def read_certificate(encoded: bytes) -> x509.Certificate | None:
    """Return the certificate in ``encoded`` (DER), or None when it is none."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of serial numbers and values that the checks tell in words
            return x509.load_der_x509_certificate(encoded)
    except _UNREADABLE:
        return None


def read_certificates(chain: tuple[bytes, ...] | None) -> tuple[x509.Certificate, ...]:
    """Return those of a chain that can be read."""
    read = (read_certificate(encoded) for encoded in chain or ())
    return tuple(certificate for certificate in read if certificate is not None)


def show_certificate(encoded: bytes) -> str:
    """Return subject, issuer, names, key, dates and serial number of a DER certificate, in one line."""
    certificate = read_certificate(encoded)
    if certificate is None:
        return f"{len(encoded)} bytes that are no readable certificate"
    try:
        with warnings.catch_warnings(action="ignore"):  # the serial number is shown as it is
            parts = [f"{_name(certificate.subject)} issued by {_name(certificate.issuer)}", *_details(certificate)]
    except _UNREADABLE as error:
        return f"certificate with an unreadable part: {printable(str(error))}"
    return ", ".join(parts)


def show_authority(name: bytes) -> str:
    """Return a CA's DER name in RFC 4514 form."""
    try:
        return _name(x509.Name.from_bytes(name))
    except _UNREADABLE:
        return f"{len(name)} bytes that are no readable name"


def show_authorities(names: Sequence[bytes]) -> str:
    """Return the names of several CAs in one line; of very many the first ones, and how many more there are."""
    more = f"; and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return "; ".join(show_authority(name) for name in names[:_MOST_NAMES]) + more


def is_alone(chain: Sequence[x509.Certificate]) -> bool:
    """Whether an intermediate may be missing, so that the list of CAs says nothing for sure."""
    return len(chain) == 1 and chain[0].subject != chain[0].issuer


def subject_alternative_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the names a certificate is for, with their kinds; none when it has no such extension."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, *_UNREADABLE):
        return ()
    return tuple(show_name(name) for name in extension.value)


def demands_stapling(encoded: bytes) -> bool:
    """Whether a certificate demands that an OCSP response comes with it (must-staple, RFC 7633)."""
    certificate = read_certificate(encoded)
    if certificate is None:
        return False
    try:
        return must_staple(certificate.extensions)
    except _UNREADABLE:
        return False


def _details(certificate: x509.Certificate) -> list[str]:
    names = subject_alternative_names(certificate)
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return [
        *([f"for {' '.join(names[:_MOST_NAMES])}{more}"] if names else []),
        _key(certificate),
        f"valid {begin:%Y-%m-%d} to {end:%Y-%m-%d}",
        f"serial {show_serial(certificate.serial_number)}",
    ]


def _key(certificate: x509.Certificate) -> str:
    try:
        return show_key(certificate.public_key())
    except _UNREADABLE:
        return "unreadable key"


def _name(name: x509.Name) -> str:
    return show_subject(name) or "(empty name)"
