"""What every bundle is made of: one certificate, the way to its trust anchor, and its private key where it is at hand.

This decides that a credential fits together, so that no bundle has to look again; it does not validate the path
(signatures, dates, purposes): that is the business of ``pki``. RFC 5280 section 6.1 for chain and trust anchor.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from counterseal.errors import InputError, NotFoundError
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_NOT_TEXT = {"Cc", "Cs"}  # control characters and lone surrogates: neither XML 1.0 nor a BMPString can hold them
_NOT_CHARACTERS = {"\ufffe", "\uffff"}


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate under the name its owner knows it by.

    ``chain`` is what a server sends after the certificate: the issuing CA first, the trust anchor left out; empty when
    the trust anchor issued the certificate itself. Raises InputError: ``bundle.name``, ``bundle.chain``,
    ``bundle.key_mismatch``.
    """

    name: str
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    trust_anchor: x509.Certificate
    private_key: PrivateKeyTypes | None = field(repr=False)

    def __post_init__(self) -> None:
        _demand_printable(self.name)
        for subject, issuer in pairwise((self.certificate, *self.authorities)):
            if subject.issuer != issuer.subject:
                raise InputError(
                    "bundle.chain",
                    f"the chain does not lead to the trust anchor: {show_subject(subject.subject)} was issued by "
                    f"{show_subject(subject.issuer)}, next comes {show_subject(issuer.subject)}",
                )
        if self.private_key is not None and self.private_key.public_key() != self.certificate.public_key():
            raise InputError("bundle.key_mismatch", f"the private key does not belong to the certificate: {self.name}")

    @property
    def authorities(self) -> tuple[x509.Certificate, ...]:
        """The CA certificates from the issuing CA up to and with the trust anchor."""
        return (*self.chain, self.trust_anchor)

    def require_key(self, purpose: str) -> PrivateKeyTypes:
        """Return the private key; raises NotFoundError ``bundle.key_missing`` naming what it is needed for."""
        if self.private_key is None:
            raise NotFoundError(
                "bundle.key_missing",
                f"no private key at hand for {purpose}: {self.name}",
                hint="keys are not kept unless asked: give its --key-file, or rekey the certificate for a new bundle",
            )
        return self.private_key


def _demand_printable(name: str) -> None:
    if not name.strip() or any(
        unicodedata.category(character) in _NOT_TEXT or character in _NOT_CHARACTERS for character in name
    ):
        raise InputError("bundle.name", f"not a name that files can carry: {name!r}")
