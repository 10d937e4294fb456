"""A revocation list as path validation sees it: its frame read by the library, verified and searched by its octets.

The library reads every entry to load a list, encodes all of it anew to verify it and makes an object of every entry to
find one, which takes longer than all else about a path. So entries are read only where a serial number may be among
them. RFC 5280 5.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from counterseal.errors import InputError
from counterseal.pki.constraints import comparable
from counterseal.pki.crl_reader import signed_parts, without_entries
from counterseal.pki.path.crl_scope import UNREADABLE, entry_of, is_followed, scope_of
from counterseal.pki.path.once import once
from counterseal.pki.path.signature import is_signed
from counterseal.pki.reading import load_crl
from counterseal.pki.subject import show_subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from counterseal.pki.path.candidate import Candidate

_DELTA_INDICATOR = "2.5.29.27"
_UNDERSTOOD = frozenset({"2.5.29.20", "2.5.29.28", "2.5.29.35"})  # number, issuing distribution point, AKI


class RevocationList:
    """One list, from its DER; kept for many chains, it remembers what it says and whose signature it bears."""

    def __init__(self, content: bytes) -> None:
        """Read the list; raises InputError ``crl.malformed``."""
        self._frame = load_crl(without_entries(content))
        self._content = content
        self._signed_by: dict[bytes, bool] = {}

    @once
    def crl(self) -> x509.CertificateRevocationList:
        """The list with its entries; raises InputError ``crl.malformed`` where one of them cannot be read."""
        return load_crl(self._content)

    @once
    def issuer_key(self) -> object:
        """The issuer in a form whose equality is that of RFC 5280 7.1; None when it or the dates cannot be read."""
        try:
            _ = self.this_update, self.next_update
            return tuple(comparable(self._frame.issuer))
        except UNREADABLE:
            return None

    @once
    def name(self) -> str:
        """The issuer as people read it."""
        return "(unreadable name)" if self.issuer_key is None else show_subject(self._frame.issuer)

    @once
    def this_update(self) -> datetime:
        """When it was made; raises ValueError where it cannot be read."""
        return self._frame.last_update_utc

    @once
    def next_update(self) -> datetime | None:
        """When the next one comes at the latest, or None; raises ValueError where it cannot be read."""
        return self._frame.next_update_utc

    @once
    def scope(self) -> x509.IssuingDistributionPoint | None:
        """For which certificates it is; None for all of its issuer."""
        return scope_of(self._frame)

    @once
    def kind_fault(self) -> str | None:
        """Why nobody goes by it, whatever the certificate: a delta, critical or not, or narrowed (RFC 5280 5.2)."""
        try:
            present = {extension.oid.dotted_string: extension.critical for extension in self._frame.extensions}
        except UNREADABLE as error:
            return f"its extensions cannot be read: {error}"
        if _DELTA_INDICATOR in present:
            return "it is a delta, not a full list"
        if unknown := [oid for oid, critical in present.items() if critical and oid not in _UNDERSTOOD]:
            return f"it has unknown critical extensions: {', '.join(unknown)}"
        if not is_followed(self.scope):
            return "it is indirect, or for some reasons only: such lists are not followed"
        return None

    @once
    def lapses(self) -> tuple[str, ...]:
        """What the standard demands of a list and OpenSSL does not (RFC 5280 5.2.3, 5.1.2.5)."""
        return tuple(self._lapses())

    def is_signed_by(self, issuer: Candidate) -> bool:
        """Whether the key of ``issuer`` made the signature; False also where it cannot be known."""
        if issuer.encoded not in self._signed_by:
            self._signed_by[issuer.encoded] = self._verify(issuer)
        return self._signed_by[issuer.encoded]

    def entry(self, serial_number: int) -> x509.RevokedCertificate | None:
        """Return the entry of a serial number, or None; raises ValueError or InputError when it cannot be read."""
        return entry_of(self.crl, serial_number) if self._may_hold(serial_number) else None

    def _may_hold(self, serial_number: int) -> bool:
        """Whether the octets of a number stand anywhere in the list, as they do in every encoding of it."""
        octets = (serial_number.bit_length() + 7) // 8
        return serial_number < 0 or serial_number.to_bytes(octets, "big") in self._content

    def _verify(self, issuer: Candidate) -> bool:
        try:
            signed, signature = signed_parts(self._content)
            by = (self._frame.signature_hash_algorithm, self._frame.signature_algorithm_parameters)
        except (ValueError, UnsupportedAlgorithm, InputError):
            return False
        return is_signed(signed, signature, issuer.public_key, by)

    def _lapses(self) -> Iterator[str]:
        try:
            number = self._frame.extensions.get_extension_for_class(x509.CRLNumber)
        except x509.ExtensionNotFound:
            yield "it has no cRLNumber"
        except UNREADABLE:
            return  # which is a fault of its own
        else:
            if number.critical:
                yield "its cRLNumber is critical"
        if self.next_update is None:
            yield "it has no next_update"


def without_lists_of(cas: Iterable[x509.Certificate], lists: Iterable[RevocationList]) -> tuple[RevocationList, ...]:
    """Return the lists but for those of the CAs, which go by their names: so nginx has them once a CA is revoked."""
    names = {tuple(comparable(ca.subject)) for ca in cas}
    return tuple(one for one in lists if one.issuer_key not in names)
