"""A long list, kept as what it has beyond an earlier one of its CA, which has all but a few of its entries.

Decides when that is worth it, and gives back every octet. What a list says is not known here, only where its entries
are.
"""

from __future__ import annotations

from counterseal.pki.crl_reader import encoded_entries, entries_at

_SHARE = 8


def shorten(crl: bytes, whole: bytes) -> tuple[bytes, int] | None:
    """Return a DER list without the entries of the list ``whole``, and where they belong.

    None where it does not begin with them, or where an eighth of it is others by now.
    """
    start, end = entries_at(crl)
    entries = encoded_entries(whole)
    if (end - start - len(entries)) * _SHARE > len(crl) or not crl.startswith(entries, start):
        return None
    return crl[:start] + crl[start + len(entries) :], start


def lengthen(shortened: bytes, at: int, whole: bytes) -> bytes:
    """Return the list that ``shorten`` was given."""
    return b"".join((shortened[:at], encoded_entries(whole), shortened[at:]))
