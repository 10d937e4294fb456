"""Reading what ``openssl ca`` and easy-rsa keep: index.txt, and the certificates they filed by serial number.

The format is OpenSSL's TXT_DB: status, end, revocation and reason, serial number, file name, subject, parted by tabs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.pki.crl import RevocationReason
from counterseal.pki.shown import printable, show_serial

if TYPE_CHECKING:
    from pathlib import Path

_FIELDS = 6
_SERIAL_NUMBER = re.compile("[0-9A-Fa-f]{1,40}")  # at most 20 octets (RFC 5280 4.1.2.2)
_REASONS = {
    "keyCompromise": RevocationReason.KEY_COMPROMISE,
    "CACompromise": RevocationReason.CA_COMPROMISE,
    "affiliationChanged": RevocationReason.AFFILIATION_CHANGED,
    "superseded": RevocationReason.SUPERSEDED,
    "cessationOfOperation": RevocationReason.CESSATION_OF_OPERATION,
    "certificateHold": RevocationReason.CERTIFICATE_HOLD,
    "privilegeWithdrawn": RevocationReason.PRIVILEGE_WITHDRAWN,
    "AACompromise": RevocationReason.AA_COMPROMISE,
    "holdInstruction": RevocationReason.CERTIFICATE_HOLD,  # these three are followed by what to do, or since when
    "keyTime": RevocationReason.KEY_COMPROMISE,
    "CAkeyTime": RevocationReason.CA_COMPROMISE,
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
    lines = [(number, line.rstrip("\r")) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    first: dict[int, int] = {}
    entries = []
    for number, line in lines:
        entry = _entry(number, line)
        if (before := first.setdefault(entry.serial_number, number)) != number:
            shown = show_serial(entry.serial_number)
            raise InputError(
                "import.index", f"serial number stands in lines {before} and {number} of index.txt: {shown}"
            )
        entries.append(entry)
    return tuple(entries)


def find_certificate(directory: Path, serial_number: int) -> Path | None:
    """Return the file in PEM of openssl (newcerts/) or easy-rsa (certs_by_serial/) for a serial number, if any."""
    folders = ("newcerts", "certs_by_serial", "revoked/certs_by_serial", "certs")
    paths = (directory / folder / f"{show_serial(serial_number)}.pem" for folder in folders)
    return next((path for path in paths if path.is_file()), None)


def common_name_in(subject: str) -> str | None:
    """Return the common name in a subject as index.txt has it, ``/C=DE/CN=ann/emailAddress=ann@example.com``."""
    found = re.search(r"/CN=(.+?)(?=/[A-Za-z0-9.]+=|$)", subject)
    return found[1] if found else None


def _entry(number: int, line: str) -> IndexEntry:
    fields = line.split("\t")
    is_whole = len(fields) == _FIELDS and fields[0] in {"V", "R", "E"}
    if not is_whole or not _SERIAL_NUMBER.fullmatch(fields[3]):
        raise InputError("import.index", f"not a line of openssl's index.txt: line {number}: {line[:60]!r}")
    status, end, revocation, serial, _, subject = fields
    try:
        entry = IndexEntry(int(serial, 16), _time(end), printable(subject))
        if status != "R":
            return entry
        at, reason, *_ = (*revocation.split(","), "")
        return IndexEntry(
            entry.serial_number, entry.not_after, entry.subject, _time(at), _REASONS.get(reason, entry.reason)
        )
    except ValueError as error:
        raise InputError("import.index", f"cannot read line {number} of index.txt: {line[:60]!r}") from error


def _time(text: str) -> datetime:
    form = "%y%m%d%H%M%SZ" if len(text) == len("YYMMDDHHMMSSZ") else "%Y%m%d%H%M%SZ"
    return datetime.strptime(text, form).replace(tzinfo=UTC)
