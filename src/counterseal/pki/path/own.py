"""Checks of each certificate by itself: dates, version, serial number, extensions, key and algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ObjectIdentifier

from counterseal.pki import der
from counterseal.pki.keys import MAX_RSA_BITS, MIN_RSA_BITS, key_spec_of, show_key, show_spec
from counterseal.pki.path import catalogue
from counterseal.pki.path.check import failed, lapsed, passed, warned
from counterseal.pki.profile import Purpose
from counterseal.pki.rsa_numbers import exponent_faults
from counterseal.pki.shown import show_serial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.pki.keys import KeySpec
    from counterseal.pki.path.build import Path
    from counterseal.pki.path.candidate import Candidate
    from counterseal.pki.path.check import Check
    from counterseal.pki.path.question import Question

_MAX_SERIAL_BITS = 159  # 20 octets, positive
# AlgorithmIdentifier of an EC key as RFC 5480 2.1.1 writes it; a key by explicit parameters is read as if it named one.
_NAMED_CURVES = {
    name: der.sequence(der.object_identifier("1.2.840.10045.2.1"), der.object_identifier(oid))
    for name, oid in (
        ("p-256", "1.2.840.10045.3.1.7"),
        ("p-384", "1.3.132.0.34"),
        ("p-521", "1.3.132.0.35"),
    )
}
_NEVER_CRITICAL: dict[type[x509.ExtensionType], str] = {
    x509.AuthorityKeyIdentifier: "RFC 5280 4.2.1.1",
    x509.SubjectKeyIdentifier: "RFC 5280 4.2.1.2",
    x509.AuthorityInformationAccess: "RFC 5280 4.2.2.1",
}
_BROKEN_HASHES = frozenset({"md5", "sha1"})
# What the checks of this room, of constraints, policies and names act upon: RFC 5280 6.1.4 (o) "recognized".
_PROCESSED = frozenset(
    kind.oid
    for kind in (
        x509.AuthorityKeyIdentifier,
        x509.BasicConstraints,
        x509.CertificatePolicies,
        x509.ExtendedKeyUsage,
        x509.InhibitAnyPolicy,
        x509.KeyUsage,
        x509.NameConstraints,
        x509.PolicyConstraints,
        x509.SubjectAlternativeName,
        x509.SubjectKeyIdentifier,
    )
) | {ObjectIdentifier("2.5.29.33")}  # policyMappings


def validity(path: Path, question: Question) -> Iterator[Check]:
    """Every certificate is valid at the moment of the check (RFC 5280 6.1.3 (a)(2), 4.1.2.5)."""
    at = question.at.replace(microsecond=0)  # certificates know whole seconds
    for position, member in enumerate(path.members):
        begin, end = member.certificate.not_valid_before_utc, member.certificate.not_valid_after_utc
        if at < begin:
            yield failed(
                catalogue.VALIDITY,
                position,
                "not yet valid: from {}, in {}; checked at {}",
                begin,
                begin - at,
                at,
                hint="set the clock right, wait, or issue the certificate anew",
            )
        elif at > end:
            yield failed(catalogue.VALIDITY, position, "expired: until {}, {} ago; checked at {}", end, at - end, at)
        else:
            yield passed(catalogue.VALIDITY, position, "{} to {}, {} left", begin, end, end - at)


def extensions(path: Path, question: Question) -> Iterator[Check]:
    """Every certificate's extensions can be read, each once, and are critical where they may be (RFC 5280 4.2)."""
    for position, member in enumerate(path.members):
        count = len(member.extensions)
        if member.unreadable is not None:
            yield failed(catalogue.EXTENSIONS, position, f"cannot be read: {member.unreadable}")
        else:
            yield passed(catalogue.EXTENSIONS, position, "{} extensions, each once", count)
        yield from _misplaced(position, member, question)


def version(path: Path, question: Question) -> Iterator[Check]:
    """Every certificate is of version 3; without extensions an end entity of a client passes (RFC 5280 4.1.2.1)."""
    for position, member in enumerate(path.members):
        found = member.certificate.version
        if found is x509.Version.v3:
            yield passed(catalogue.VERSION, position, "version 3")
        elif position == 0 and question.purpose is Purpose.CLIENT:
            text = "version {}: OpenSSL and nginx accept it from a client"
            yield warned(catalogue.VERSION, position, text, found.value + 1)
        else:
            yield failed(catalogue.VERSION, position, "version {}, which has no extensions", found.value + 1)


def serial_number(path: Path, question: Question) -> Iterator[Check]:
    """Every serial number is positive and at most 20 octets (RFC 5280 4.1.2.2)."""
    for position, member in enumerate(path.members):
        serial = member.certificate.serial_number
        shown = show_serial(serial)
        if serial <= 0 and member.anchor:
            yield warned(catalogue.SERIAL_NUMBER, position, f"not a positive number, as of some old roots: {shown}")
        elif serial <= 0:
            yield lapsed(catalogue.SERIAL_NUMBER, position, f"not a positive number: {shown}", question)
        elif serial.bit_length() > _MAX_SERIAL_BITS:
            octets = serial.bit_length() // 8 + 1
            yield failed(catalogue.SERIAL_NUMBER, position, f"{octets} octets, at most 20 are allowed: {shown}")
        else:
            yield passed(catalogue.SERIAL_NUMBER, position, shown)


def critical_extensions(path: Path, _: Question) -> Iterator[Check]:
    """No certificate has a critical extension that is not acted upon (RFC 5280 6.1.4 (o), 6.1.5 (e))."""
    for position, member in enumerate(path.members):
        critical = [extension.oid for extension in member.extensions if extension.critical]
        unknown = [oid.dotted_string for oid in critical if oid not in _PROCESSED]
        if unknown:
            yield failed(catalogue.CRITICAL_EXTENSIONS, position, f"unknown and critical: {', '.join(unknown)}")
        else:
            yield passed(catalogue.CRITICAL_EXTENSIONS, position, "{} critical, all understood", len(critical))


def key_strength(path: Path, _: Question) -> Iterator[Check]:
    """Every key is of a kind and size that TLS peers accept (RFC 9325 4.5)."""
    for position, member in enumerate(path.members):
        key = member.public_key
        spec = None if key is None else key_spec_of(key)
        if spec is None:
            yield failed(catalogue.KEY_STRENGTH, position, _unusable(member))
        elif fault := _key_fault(member, spec):
            yield failed(catalogue.KEY_STRENGTH, position, fault)
        else:
            yield passed(catalogue.KEY_STRENGTH, position, "{}", spec)


def signature_algorithm(path: Path, _: Question) -> Iterator[Check]:
    """Every signature that counts uses SHA-256 or better; that of an anchor on itself does not count (RFC 9325 4.5)."""
    for position, member in enumerate(path.members):
        if member.anchor and (position or member.self_issued):
            continue
        try:
            algorithm = member.certificate.signature_hash_algorithm
        except (ValueError, UnsupportedAlgorithm):
            oid = member.certificate.signature_algorithm_oid.dotted_string
            yield failed(catalogue.SIGNATURE_ALGORITHM, position, f"unknown algorithm: {oid}")
            continue
        name = "EdDSA" if algorithm is None else algorithm.name
        if name in _BROKEN_HASHES:
            yield failed(catalogue.SIGNATURE_ALGORITHM, position, f"signed with a broken hash: {name}")
        else:
            yield passed(catalogue.SIGNATURE_ALGORITHM, position, name)


def _misplaced(position: int, member: Candidate, question: Question) -> Iterator[Check]:
    """Extensions that are critical although they must not be, or that only a CA may have."""
    for kind, section in _NEVER_CRITICAL.items():
        extension = member.extension(kind)
        if extension is not None and extension.critical:
            name = extension.oid._name  # noqa: SLF001 - the library's name of the extension
            yield failed(catalogue.EXTENSIONS, position, f"{name} must not be critical", section=section)
    if position:
        return
    usage = member.extension(x509.ExtendedKeyUsage)
    if usage is not None and usage.critical:
        yield lapsed(
            catalogue.EXTENSIONS, 0, "extendedKeyUsage is critical", question, section="CA/Browser Forum BR 7.1.2.7.6"
        )
    if member.value(x509.NameConstraints) is not None and not member.is_ca:
        yield lapsed(catalogue.EXTENSIONS, 0, "nameConstraints, yet it is no CA", question, section="RFC 5280 4.2.1.10")


def _unusable(member: Candidate) -> str:
    if member.public_key is None:
        return f"the public key cannot be used: {member.certificate.public_key_algorithm_oid.dotted_string}"
    return f"no kind of key for TLS: {show_key(member.public_key)}"


def _key_fault(member: Candidate, spec: KeySpec) -> str | None:
    named = _NAMED_CURVES.get(spec.algorithm)
    if named is not None and named not in member.encoded:
        return f"{show_spec(spec)} by explicit parameters, not by the name of the curve (RFC 5480 2.1.1)"
    return _rsa_fault(member.public_key) if isinstance(member.public_key, rsa.RSAPublicKey) else None


def _rsa_fault(key: rsa.RSAPublicKey) -> str | None:
    if not MIN_RSA_BITS <= key.key_size <= 2 * MAX_RSA_BITS:
        return f"{show_key(key)}: {MIN_RSA_BITS} to {2 * MAX_RSA_BITS} bits are accepted"
    if key.key_size % 8:
        return f"{show_key(key)}: no whole number of octets"
    return next(exponent_faults(key.public_numbers().e), None)
