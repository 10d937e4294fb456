"""For which certificates a CRL is, by its issuing distribution point, and whether it is whole (RFC 5280 5.2, 6.3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

if TYPE_CHECKING:
    from collections.abc import Iterable

    from counterseal.pki.path.candidate import Candidate

UNREADABLE = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
"""What the library raises for extensions of a list that it cannot read."""


def scope_of(crl: x509.CertificateRevocationList) -> x509.IssuingDistributionPoint | None:
    """Return the issuing distribution point; None for a list that is for all certificates of its issuer."""
    try:
        return crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return None


def is_delta(crl: x509.CertificateRevocationList) -> bool:
    """Whether it is a list of changes only, however its indicator is marked (RFC 5280 5.2.4)."""
    try:
        return any(isinstance(extension.value, x509.DeltaCRLIndicator) for extension in crl.extensions)
    except UNREADABLE:
        return False


def readable(crls: Iterable[x509.CertificateRevocationList]) -> tuple[x509.CertificateRevocationList, ...]:
    """Return the lists whose issuer and dates can be read, which the library puts off until they are asked for."""
    return tuple(crl for crl in crls if _is_readable(crl))


def _is_readable(crl: x509.CertificateRevocationList) -> bool:
    try:
        _ = (crl.issuer, crl.last_update_utc, crl.next_update_utc)
    except UNREADABLE:
        return False
    return True


def entry_of(crl: x509.CertificateRevocationList, serial_number: int) -> x509.RevokedCertificate | None:
    """Return the entry of a serial number, or None; raises ValueError when entries cannot be read."""
    entry = crl.get_revoked_certificate_by_serial_number(serial_number)
    if entry is not None:
        _ = entry.revocation_date_utc
    return entry


def is_followed(scope: x509.IssuingDistributionPoint | None) -> bool:
    """Whether lists of this scope are followed: those of another issuer, or for some reasons only, are not."""
    return scope is None or not (scope.indirect_crl or scope.only_some_reasons)


def covers(scope: x509.IssuingDistributionPoint | None, member: Candidate) -> bool:
    """Whether a list of this scope speaks of certificates like this one."""
    if scope is None:
        return True
    of_the_other_kind = scope.only_contains_user_certs if member.is_ca else scope.only_contains_ca_certs
    if scope.only_contains_attribute_certs or of_the_other_kind:
        return False
    wanted = set(scope.full_name or ())
    points = member.value(x509.CRLDistributionPoints) or ()
    return not (scope.full_name or scope.relative_name) or any(wanted & set(point.full_name or ()) for point in points)
