"""For which certificates a CRL is, by its issuing distribution point (RFC 5280 5.2.5, 6.3.3 (b)(2))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

if TYPE_CHECKING:
    from counterseal.pki.path.candidate import Candidate

UNREADABLE = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
"""What the library raises for extensions of a list that it cannot read."""


def scope_of(crl: x509.CertificateRevocationList) -> x509.IssuingDistributionPoint | None:
    """Return the issuing distribution point; None for a list that is for all certificates of its issuer."""
    try:
        return crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return None


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
