"""May these names be certified at all? Answered before there is a key or a CSR, for protocols that order first."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.pki.constraints import violated_by
from counterseal.pki.extensions import extension_in
from counterseal.pki.names import show_name
from counterseal.pki.policy import name_reasons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from counterseal.authority.parts import Authority
    from counterseal.pki.profile import Profile


def refused_names(
    authority: Authority, profile: Profile, names: Sequence[x509.GeneralName]
) -> list[tuple[x509.GeneralName, str]]:
    """Return each name that the profile or a CA above it forbids, with the reason; the rest is decided when issuing."""
    constraints = _constraints_of(authority.issuer(authority.issuer_for(profile.purpose)).path)
    refused = []
    for name in names:
        reason = next((finding.message for finding in name_reasons(profile, name)), None)
        if reason is None and any(violated_by(one, [name]) for one in constraints):
            reason = f"outside of what this CA may certify: {show_name(name)}"
        if reason is not None:
            refused.append((name, reason))
    return refused


@lru_cache(maxsize=16)
def _constraints_of(path: tuple[x509.Certificate, ...]) -> tuple[x509.NameConstraints, ...]:
    """Read them once; a service asks for every order."""
    constraints = (extension_in(certificate.extensions, x509.NameConstraints) for certificate in path)
    return tuple(found for found in constraints if found is not None)
