"""Rules that compare a certificate with the issuer that signs it, and look at serial number, dates and key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PSS

from counterseal.pki.certificate import subject_key_identifier
from counterseal.pki.keys import key_spec_of, show_spec, weaknesses
from counterseal.pki.lint.linted import Linted, error, note, public_key_of, subject_der, warning
from counterseal.pki.profile import SERVER_LIFETIME_ACCEPTED, Purpose
from counterseal.pki.shown import show_serial
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.findings import Finding
    from counterseal.pki.keys import KeySpec
    from counterseal.pki.lint.linted import Rule

MAX_SERIAL_OCTETS = 20
MIN_SERIAL_BITS = 64
_DAY_SECONDS = 86_400
_WITHOUT_BROWSERS = {
    "p-521": "Chromium takes no",
    "ed25519": "neither Firefox nor Chromium takes a",
    "ed448": "neither Firefox nor Chromium takes a",
}
_UNTAKEN_SIGNATURES = {"ed25519", "ed448"}


def readable_extensions(linted: Linted) -> Iterator[Finding]:
    """Extensions can be read, and none stands twice (RFC 5280 4.2)."""
    if linted.unreadable:
        yield error("lint.extensions", f"the extensions cannot be read: {linted.unreadable}")


def serial_number(linted: Linted) -> Iterator[Finding]:
    """The serial number is positive, at most 20 octets, and too large to be guessed (RFC 5280 4.1.2.2)."""
    serial = linted.certificate.serial_number
    if serial <= 0 or serial.bit_length() > MAX_SERIAL_OCTETS * 8 - 1:
        yield error(
            "lint.serial", f"serial number is not a positive number of at most 20 octets: {show_serial(serial)}"
        )
    elif serial.bit_length() < MIN_SERIAL_BITS and linted.certificate.issuer != linted.subject:
        yield warning(
            "lint.serial_short",
            f"serial number has only {serial.bit_length()} bits and can be guessed: {show_serial(serial)}",
        )


def validity(linted: Linted) -> Iterator[Finding]:
    """The certificate is valid for some time (RFC 5280 4.1.2.5)."""
    begin, end = linted.certificate.not_valid_before_utc, linted.certificate.not_valid_after_utc
    if end <= begin:
        yield error(
            "lint.validity", f"not_after {end:%Y-%m-%dT%H:%M:%SZ} is not after not_before {begin:%Y-%m-%dT%H:%M:%SZ}"
        )


def lifetime_within_issuer(linted: Linted) -> Iterator[Finding]:
    """No certificate outlives a CA of its path: from then on it could not be verified."""
    for issuer in linted.path:
        if linted.certificate.not_valid_after_utc > issuer.not_valid_after_utc:
            yield error(
                "lint.outlives_issuer",
                f"not_after {linted.certificate.not_valid_after_utc:%Y-%m-%d %H:%M} is past the end of "
                f"{show_subject(issuer.subject)}: {issuer.not_valid_after_utc:%Y-%m-%d %H:%M}",
                "ask for a shorter lifetime, or make a new issuing CA",
            )


def server_lifetime(linted: Linted) -> Iterator[Finding]:
    """Apple's clients refuse a server certificate that lives longer than 825 days, from whichever CA."""
    usages = linted.value(x509.ExtendedKeyUsage) or ()
    lifetime = linted.certificate.not_valid_after_utc - linted.certificate.not_valid_before_utc
    if Purpose.SERVER.extended_key_usages[0] in usages and not linted.is_ca and lifetime > SERVER_LIFETIME_ACCEPTED:
        yield warning(
            "lint.server_lifetime",
            f"server certificate lives {lifetime.total_seconds() / _DAY_SECONDS:.0f} days, "
            f"Apple's clients accept {SERVER_LIFETIME_ACCEPTED.days}",
            f"use --lifetime {SERVER_LIFETIME_ACCEPTED.days}d or less",
        )


def key_strength(linted: Linted) -> Iterator[Finding]:
    """The public key is of a suitable kind and strong enough."""
    try:
        yield from weaknesses(linted.certificate.public_key())
    except (ValueError, UnsupportedAlgorithm) as reason:
        yield error("lint.key", f"the public key cannot be used: {reason}")


def server_key(linted: Linted) -> Iterator[Finding]:
    """A server for browsers has an RSA, P-256 or P-384 key; other programs take the other kinds as well.

    Firefox and Chromium offer neither Ed25519 nor Ed448 (signature_algorithms, RFC 8446 4.2.3), Chromium no P-521.
    Nor do they take what a CA signed with Ed25519 or Ed448.
    """
    usages = linted.value(x509.ExtendedKeyUsage) or ()
    if linted.is_ca or Purpose.SERVER.extended_key_usages[0] not in usages:
        return
    spec = _spec_of(linted.certificate)
    if spec is not None and spec.algorithm in _WITHOUT_BROWSERS:
        yield note(
            "lint.server_key",
            f"{_WITHOUT_BROWSERS[spec.algorithm]} server certificate with such a key: {show_spec(spec)}",
            "use --key p-256, unless no browser will connect",
        )
    signed_by = next((one for one in map(_spec_of, linted.path) if one and one.algorithm in _UNTAKEN_SIGNATURES), None)
    if signed_by is not None:
        yield note(
            "lint.server_key",
            f"neither Firefox nor Chromium takes a server certificate signed by such a key: {show_spec(signed_by)}",
            "make the CA with --key p-256, unless no browser will connect",
        )


def _spec_of(certificate: x509.Certificate) -> KeySpec | None:
    key = public_key_of(certificate)
    return None if key is None else key_spec_of(key)


def signature_algorithm(linted: Linted) -> Iterator[Finding]:
    """The signature uses SHA-256 or better; that of a trust anchor on itself is not relied on by anybody."""
    try:
        algorithm = linted.certificate.signature_hash_algorithm
        parameters = linted.certificate.signature_algorithm_parameters
    except (ValueError, UnsupportedAlgorithm):
        yield warning(
            "lint.signature", f"unknown signature algorithm: {linted.certificate.signature_algorithm_oid.dotted_string}"
        )
        return
    if algorithm is not None and algorithm.name in {"md5", "sha1", "sha224"}:
        scheme = "RSA-PSS with " if isinstance(parameters, PSS) else ""
        if linted.certificate.issuer == linted.certificate.subject:
            yield note("lint.signature_weak", f"a trust anchor signed with a broken hash: {scheme}{algorithm.name}")
        else:
            yield error("lint.signature_weak", f"signed with a broken hash: {scheme}{algorithm.name}")


def issuer_name(linted: Linted) -> Iterator[Finding]:
    """The issuer field is the issuer's subject, octet for octet (RFC 5280 4.1.2.4)."""
    if linted.issuer and linted.certificate.issuer.public_bytes() != subject_der(linted.issuer):
        yield error(
            "lint.issuer_name",
            f"issuer is {show_subject(linted.certificate.issuer)}, not {show_subject(linted.issuer.subject)}",
        )


def authority_key_identifier(linted: Linted) -> Iterator[Finding]:
    """The authority key identifier is the issuer's subject key identifier (RFC 5280 4.2.1.1)."""
    identifier = linted.value(x509.AuthorityKeyIdentifier)
    if identifier is None:
        if linted.certificate.issuer != linted.subject:
            yield error("lint.aki_missing", "authority key identifier is missing")
    elif linted.issuer is not None and identifier.key_identifier not in {None, _key_identifier_of(linted.issuer)}:
        yield error("lint.aki", "authority key identifier is not the issuer's subject key identifier")


def _key_identifier_of(issuer: x509.Certificate) -> bytes | None:
    try:
        return subject_key_identifier(issuer).digest
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension):
        return None  # what cannot be read of the issuer is told when it is judged itself


ISSUANCE_RULES: tuple[Rule, ...] = (
    readable_extensions,
    serial_number,
    validity,
    lifetime_within_issuer,
    server_lifetime,
    key_strength,
    server_key,
    signature_algorithm,
    issuer_name,
    authority_key_identifier,
)
