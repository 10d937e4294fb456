"""A revocation list as path validation sees it: read by the library, verified and searched by its octets.

The library encodes a list anew to verify it and makes an object of every entry to find one, which takes longer than all
else about a path. RFC 5280 5.1.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm

from counterseal.errors import InputError
from counterseal.pki import der, der_reader
from counterseal.pki.constraints import comparable
from counterseal.pki.path.crl_scope import UNREADABLE, entry_of
from counterseal.pki.path.signature import is_signed
from counterseal.pki.reading import load_crl

if TYPE_CHECKING:
    from cryptography import x509

    from counterseal.pki.path.candidate import Candidate


class RevocationList:
    """One list, from its DER; kept for many chains, it remembers whose signature it bears."""

    def __init__(self, content: bytes) -> None:
        """Read the list; raises InputError ``crl.malformed``."""
        self.crl = load_crl(content)
        self._content = content
        self._signed_by: dict[x509.Certificate, bool] = {}

    @cached_property
    def issuer_key(self) -> object:
        """The issuer in a form whose equality is that of RFC 5280 7.1; None when it or the dates cannot be read."""
        try:
            _ = self.crl.last_update_utc, self.crl.next_update_utc
            return tuple(comparable(self.crl.issuer))
        except UNREADABLE:
            return None

    def is_signed_by(self, issuer: Candidate) -> bool:
        """Whether the key of ``issuer`` made the signature; False also where it cannot be known."""
        if issuer.certificate not in self._signed_by:
            self._signed_by[issuer.certificate] = self._verify(issuer)
        return self._signed_by[issuer.certificate]

    def entry(self, serial_number: int) -> x509.RevokedCertificate | None:
        """Return the entry of a serial number, or None; raises ValueError when it cannot be read."""
        if serial_number >= 0 and der.integer(serial_number) not in self._content:
            return None  # an entry would hold just these octets
        return entry_of(self.crl, serial_number)

    def _verify(self, issuer: Candidate) -> bool:
        try:
            signed, *_ = der_reader.read(self._content).children()
            by = (self.crl.signature_hash_algorithm, self.crl.signature_algorithm_parameters)
        except (ValueError, UnsupportedAlgorithm, InputError):
            return False
        return is_signed(signed.whole, self.crl.signature, issuer.public_key, by)
