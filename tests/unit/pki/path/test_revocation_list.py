"""A list verified and searched by its octets says what the library says of it."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from chains import crl, intermediate, root
from counterseal.errors import InputError
from counterseal.pki import der, der_reader
from counterseal.pki.path.candidate import Candidate
from counterseal.pki.path.revocation_list import RevocationList

REVOKED = (1, 127, 128, 255, 256, 1 << 158)
LIST = crl(intermediate(), revoked=REVOKED)
DER = LIST.public_bytes(Encoding.DER)


@pytest.mark.parametrize("serial_number", [*REVOKED, 2, 129, 1 << 157, 0x55])
def test_an_entry_is_found_where_there_is_one(serial_number: int) -> None:
    """Also where the octets of a number stand elsewhere in the list."""
    found = RevocationList(DER).entry(serial_number)
    assert (found and found.serial_number) == (serial_number if serial_number in REVOKED else None)


def test_a_list_is_signed_by_its_issuer_only() -> None:
    """And remembers it."""
    read = RevocationList(DER)
    for _ in range(2):
        assert read.is_signed_by(Candidate(intermediate().certificate))
        assert not read.is_signed_by(Candidate(root().certificate))


def test_a_list_that_names_two_algorithms_is_refused() -> None:
    """RFC 5280 5.1.1.2; so nobody has to compare them where the signature is verified."""
    signed, _, signature = der_reader.read(DER).children()
    other = der.sequence(der.object_identifier("1.2.840.10045.4.3.3"))
    with pytest.raises(InputError):
        RevocationList(der.sequence(signed.whole, other, signature.whole))


def test_what_is_no_list_is_refused() -> None:
    """With our own error."""
    with pytest.raises(InputError):
        RevocationList(DER[:-1])
