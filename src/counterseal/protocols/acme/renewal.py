"""Renewal information (RFC 9773): the name of a certificate in a URL, and when it is best renewed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from counterseal.protocols.acme.encoding import decode, encode
from counterseal.protocols.acme.problems import malformed

if TYPE_CHECKING:
    from datetime import datetime

WINDOW_SHARE = 1 / 12
"""The window is this part of a lifetime, so that a fleet made in one hour does not come back in one."""

POLL_SECONDS = 6 * 3_600
"""Between two questions about one certificate; more often where its window would be missed."""


@dataclass(frozen=True, slots=True)
class CertificateName:
    """A certificate by its authority key identifier and serial number (RFC 9773 4.1)."""

    key_identifier: bytes
    serial_number: int

    @classmethod
    def parse(cls, text: str) -> CertificateName:
        """Return the name in a URL or in ``replaces``; raises Problem ``malformed``."""
        key_identifier, _, serial = text.partition(".")
        octets = decode(serial, "the serial number")
        name = cls(decode(key_identifier, "the authority key identifier"), int.from_bytes(octets, "big"))
        if not key_identifier or not octets or str(name) != text:  # a certificate has one name
            raise malformed("not a certificate's name: base64url(AKI) '.' base64url(serial) (RFC 9773 4.1)")
        return name

    def __str__(self) -> str:
        octets = self.serial_number.to_bytes(self.serial_number.bit_length() // 8 + 1, "big")
        return f"{encode(self.key_identifier)}.{encode(octets)}"


def window(
    not_before: datetime, not_after: datetime, *, share_left: float, revoked_at: datetime | None
) -> tuple[datetime, datetime]:
    """Return begin and end of the suggested window; it is in the past for a revoked certificate (RFC 9773 4.2)."""
    if revoked_at is not None:
        return revoked_at - timedelta(hours=1), revoked_at
    lifetime = not_after - not_before
    begin = not_after - lifetime * share_left
    return begin, begin + lifetime * WINDOW_SHARE


def poll_seconds(not_before: datetime, not_after: datetime) -> int:
    """Return after how many seconds to ask again: at least twice in a window, so that one of hours is not missed."""
    return max(60, min(POLL_SECONDS, int((not_after - not_before).total_seconds() * WINDOW_SHARE / 2)))
