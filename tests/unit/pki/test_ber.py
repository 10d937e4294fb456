"""Indefinite lengths become definite ones, and nothing else changes."""

from __future__ import annotations

import pytest

from counterseal.errors import InputError
from counterseal.pki.ber import definite


@pytest.mark.parametrize(
    ("ber", "expected"),
    [
        ("3080 020103 0000", "3003 020103"),
        ("3080 3080 0500 0000 0000", "3004 3002 0500"),
        ("2480 0401aa 0402bbcc 0000", "0403 aabbcc"),
        ("a080 2480 0401aa 0000 0000", "a003 0401aa"),
        ("3005 2403 0401aa", "3003 0401aa"),
        ("3003 020103", "3003 020103"),
    ],
)
def test_lengths_become_definite(ber: str, expected: str) -> None:
    """Nested, strings in pieces, and DER as it is."""
    assert definite(bytes.fromhex(ber)) == bytes.fromhex(expected)


@pytest.mark.parametrize("ber", ["", "3080", "3080 0203", "30" * 9, "3080" * 4000, "3004 0203 0101"])
def test_malformed_ber_is_refused(ber: str) -> None:
    """Cut short, or nested without end."""
    with pytest.raises(InputError):
        definite(bytes.fromhex(ber))
