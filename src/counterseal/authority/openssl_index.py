"""Reading what ``openssl ca`` and easy-rsa keep: index.txt, and the certificates they filed by serial number.

The format is OpenSSL's TXT_DB: status, end, revocation and reason, serial number, file name, subject, parted by tabs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.pki.crl import RevocationReason

if TYPE_CHECKING:
    from pathlib import Path

_FIELDS = 6
_REASONS = {
    "keyCompromise": RevocationReason.KEY_COMPROMISE,
    "CACompromise": RevocationReason.CA_COMPROMISE,
    "affiliationChanged": RevocationReason.AFFILIATION_CHANGED,
    "superseded": RevocationReason.SUPERSEDED,
    "cessationOfOperation": RevocationReason.CESSATION_OF_OPERATION,
    "certificateHold": RevocationReason.CERTIFICATE_HOLD,
    "privilegeWithdrawn": RevocationReason.PRIVILEGE_WITHDRAWN,
    "AACompromise": RevocationReason.AA_COMPROMISE,
}


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One line: when it ends, its serial number and subject, and when and why it was revoked, if it was."""

    serial_number: int
    not_after: datetime
    subject: str
    revoked_at: datetime | None = None
    reason: RevocationReason = RevocationReason.UNSPECIFIED


def parse_index(text: str) -> tuple[IndexEntry, ...]:
    """Return the entries of an index.txt; raises InputError ``import.index`` with the line number."""
    return tuple(_entry(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip())


def find_certificate(directory: Path, serial_number: int) -> bytes | None:
    """Return the PEM that openssl (newcerts/) or easy-rsa (certs_by_serial/) filed under a serial number."""
    text = f"{serial_number:X}"
    name = text if len(text) % 2 == 0 else f"0{text}"
    for folder in ("newcerts", "certs_by_serial", "revoked/certs_by_serial", "certs"):
        path = directory / folder / f"{name}.pem"
        if path.is_file():
            return path.read_bytes()
    return None


def _entry(number: int, line: str) -> IndexEntry:
    fields = line.split("\t")
    if len(fields) != _FIELDS or fields[0] not in {"V", "R", "E"}:
        raise InputError("import.index", f"not a line of openssl's index.txt: line {number}: {line[:60]!r}")
    status, end, revocation, serial, _, subject = fields
    try:
        entry = IndexEntry(int(serial, 16), _time(end), subject)
        if status != "R":
            return entry
        at, _, reason = revocation.partition(",")
        return IndexEntry(entry.serial_number, entry.not_after, subject, _time(at), _REASONS.get(reason, entry.reason))
    except ValueError as error:
        raise InputError("import.index", f"cannot read line {number} of index.txt: {line[:60]!r}") from error


def _time(text: str) -> datetime:
    form = "%y%m%d%H%M%SZ" if len(text) == len("YYMMDDHHMMSSZ") else "%Y%m%d%H%M%SZ"
    return datetime.strptime(text, form).replace(tzinfo=UTC)
