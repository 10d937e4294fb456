"""The rows of the store as values.

Times are integer seconds since the epoch, UTC. Serial numbers are integers (RFC 5280 4.1.2.2: positive, at most 20
octets). Whether a certificate has expired is never stored: it follows from ``not_after`` and the reader's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from counterseal.errors import InputError

Purpose = Literal["root", "server", "client", "any"]
CAState = Literal["active", "retired", "revoked"]

GENESIS_HASH = bytes(32)
PAGE_LIMIT = 10_000
IMPORTED = "imported"
"""What stands in the place of a profile for a certificate that another program issued."""
CA_PROFILE = "ca"
"""The same for the certificate of a CA of ours."""


class Status(StrEnum):
    """Where a certificate stands; ``reserved`` means that its serial number is taken and nothing is signed yet."""

    RESERVED = "reserved"
    VALID = "valid"
    REVOKED = "revoked"
    HELD = "held"


class CARecord(NamedTuple):
    """A CA: its name here, what it may issue, the CA above it, its certificate (DER) and which key signs for it.

    ``successor`` is the CA that issues in the place of one that is retired, or was revoked.
    """

    name: str
    purpose: Purpose
    parent: str | None
    certificate: bytes
    key_id: str
    state: CAState
    created_at: int
    successor: str | None = None
    revoked_at: int | None = None
    revocation_reason: str | None = None


class Reservation(NamedTuple):
    """A serial number taken before anything is signed, by whom and for what."""

    serial_number: int
    issuer: str
    name: str
    profile: str
    created_at: int
    created_by: str


class CertificateRecord(NamedTuple):
    """A certificate as the store knows it.

    ``issuer`` is a CA's name, ``name`` what the user calls it, ``subject`` RFC 4514, ``names`` the subjectAltNames as
    ``DNS:``, ``IP:``, ``email:`` or ``URI:`` and the value, ``certificate`` DER (None when an imported CA no longer had
    it). A reserved one has no subject and both times 0.
    """

    serial_number: int
    issuer: str
    name: str
    subject: str
    names: tuple[str, ...]
    profile: str
    group: str | None
    status: Status
    not_before: int
    not_after: int
    certificate: bytes | None
    created_at: int
    created_by: str
    revoked_at: int | None = None
    revocation_reason: str | None = None

    def signed(self, certificate: bytes) -> CertificateRecord:
        """Return the record with its certificate; ``_replace`` takes three times as long, and a batch has many."""
        return CertificateRecord._make((*self[:_CERTIFICATE], certificate, *self[_CERTIFICATE + 1 :]))


_CERTIFICATE = CertificateRecord._fields.index("certificate")


class Revocation(NamedTuple):
    """One revoked or held certificate: serial number, when, and the reason in RFC 5280's words."""

    serial_number: int
    revoked_at: int
    reason: str


class CRLRecord(NamedTuple):
    """A published CRL: DER, its number (RFC 5280 5.2.3), its two times and how many entries it has.

    ``change_number``: all changes to the CA's revocations up to this one are on it; None where that is not known.
    """

    issuer: str
    number: int
    this_update: int
    next_update: int
    crl: bytes
    entries: int
    change_number: int | None = None


class CRLTimes(NamedTuple):
    """What is asked of a CRL every minute, without the list itself, which may have a million entries."""

    issuer: str
    number: int
    this_update: int
    next_update: int
    entries: int


class NewKeyUse(NamedTuple):
    """A use of a CA key about to be logged: ``digest`` is the SHA-256 of the bytes that were signed."""

    at: int
    actor: str
    action: str
    ca: str
    serial_number: int | None
    digest: bytes


class KeyUse(NamedTuple):
    """A logged use of a CA key; ``hash`` covers every field and ``previous_hash``, so that entries hang together."""

    sequence: int
    at: int
    actor: str
    action: str
    ca: str
    serial_number: int | None
    digest: bytes
    previous_hash: bytes
    hash: bytes


class LogHead(NamedTuple):
    """The newest entry of the key-use log: noted elsewhere, it proves later that nothing before it was changed."""

    sequence: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Query:
    """Which certificates, in pages.

    ``name`` is compared without case: ``web`` and ``web*`` mean "begins with", ``*.example.com`` and ``*@example.com``
    "in that domain", ``*word*`` or a ``*`` elsewhere "anywhere"; see ``Inventory.search`` for what each costs.
    ``without_profiles`` leaves out certificates of these. ``expires_before`` is exclusive. ``include_expired=False``
    leaves out what has expired at ``at``. ``after`` is the ``next`` of the page before; raises InputError for a query
    that cannot be meant.
    """

    status: Status | None = None
    profile: str | None = None
    without_profiles: tuple[str, ...] = ()
    name: str | None = None
    issuer: str | None = None
    expires_before: int | None = None
    include_expired: bool = True
    at: int | None = None
    limit: int = 100
    after: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= PAGE_LIMIT:
            raise InputError("query.limit", f"page size out of range: {self.limit}", hint=f"ask for 1 to {PAGE_LIMIT}")
        if not self.include_expired and self.at is None:
            raise InputError("query.at", "leaving out expired certificates needs a time: none given")


class Page(NamedTuple):
    """Some of the answer, and the cursor that continues it (None at the end)."""

    records: tuple[CertificateRecord, ...]
    next: str | None
