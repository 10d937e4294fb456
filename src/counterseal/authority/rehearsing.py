"""What would be, without its having been: a transaction that is always undone, in which zeros stand for signatures.

What a command would leave is then made by the code that makes it, and no copy of that has to guess. No CA key is used,
so that none is opened; others wait for the store as long as the block lasts.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, cast

from cryptography import x509

from counterseal.keystore.file import FileKeyStore
from counterseal.pki.keys import longest_signature, signature_algorithm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes

    from counterseal.authority.parts import Authority
    from counterseal.pki.signer import Signer
    from counterseal.store.records import CARecord


@dataclass(frozen=True, slots=True)
class Unsigned:
    """Stands in for a CA's signer where what is signed is only looked at."""

    public_key: CertificateIssuerPublicKeyTypes
    signature_algorithm: bytes

    @classmethod
    def of(cls, record: CARecord) -> Self:
        """Return what stands in for the signer of this CA."""
        key = cast("CertificateIssuerPublicKeyTypes", x509.load_der_x509_certificate(record.certificate).public_key())
        return cls(key, signature_algorithm(key))

    def sign(self, _: bytes) -> bytes:
        """Return as many zeros as a signature may have octets."""
        return bytes(longest_signature(self.public_key))


class _UnopenedKeys(FileKeyStore):
    """The keys that are at hand, none of which is opened."""

    def __init__(self, authority: Authority) -> None:
        super().__init__(authority.keystore.path("any").parent, lambda: None)
        self._by_id = {record.key_id: record for record in authority.store.cas()}

    def signer(self, key_id: str) -> Signer:
        """Return what stands in for the signer of a CA; raises NotFoundError ``key.missing``."""
        if not self.has(key_id):
            return super().signer(key_id)
        return Unsigned.of(self._by_id[key_id])


@contextmanager
def rehearsing(authority: Authority) -> Iterator[Authority]:
    """Give an authority of which nothing stays, neither certificate, list nor revocation, once the block has ended."""
    keys = _UnopenedKeys(authority)
    authority.store.begin()
    try:
        yield replace(authority, keystore=keys, ahead=None)
    finally:
        authority.store.abandon()
