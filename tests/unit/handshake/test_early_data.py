"""Early data in a NewSessionTicket, from messages laid out by hand as RFC 8446 4.6.1 draws them.

That those of nginx are read is seen by the broken site with early data.
"""

from __future__ import annotations

import pytest

from counterseal.handshake.early_data import read_early_data

BEFORE = b"\x00\x00\x01\x2c" + b"\x01\x02\x03\x04" + b"\x01\x00" + b"\x00\x04tick"  # lifetime, age, nonce, ticket
GREASE = b"\x0a\x0a\x00\x00"
EARLY_DATA = b"\x00\x2a\x00\x04"


def ticket(extensions: bytes) -> bytes:
    """Return the message with its header."""
    body = BEFORE + len(extensions).to_bytes(2, "big") + extensions
    return b"\x04" + len(body).to_bytes(3, "big") + body


@pytest.mark.parametrize(
    ("extensions", "octets"),
    [
        (b"", 0),
        (GREASE, 0),
        (GREASE + EARLY_DATA + b"\x00\x00\x40\x00", 16384),
        (EARLY_DATA + b"\xff\xff\xff\xff", 2**32 - 1),
        (EARLY_DATA + b"\x00\x00\x00\x00", 0),
    ],
)
def test_what_a_ticket_offers_is_read(extensions: bytes, octets: int) -> None:
    """None where the extension is missing, or says none."""
    assert read_early_data(ticket(extensions)) == octets


def test_a_ticket_cut_short_offers_nothing() -> None:
    """However short it is cut, nothing is raised."""
    whole = ticket(EARLY_DATA + b"\x00\x00\x40\x00")
    assert {read_early_data(whole[:length]) for length in range(len(whole))} == {0}
