"""A list verified and searched by its octets says what the library says of it, and reads entries only where it must."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from chains import HOST, NOW, crl, end_entity, intermediate, root
from counterseal.errors import InputError
from counterseal.pki import der, der_reader
from counterseal.pki.constraints import comparable
from counterseal.pki.path import catalogue
from counterseal.pki.path.candidate import Candidate
from counterseal.pki.path.explain import explain
from counterseal.pki.path.revocation_list import RevocationList
from counterseal.pki.profile import Purpose

REVOKED = (1, 127, 128, 255, 256, 1 << 158)
LIST = crl(intermediate(), revoked=REVOKED)
DER = LIST.public_bytes(Encoding.DER)


@pytest.mark.parametrize("serial_number", [*REVOKED, 2, 129, 1 << 157, 0x55])
def test_an_entry_is_found_where_there_is_one(serial_number: int) -> None:
    """Also where the octets of a number stand elsewhere in the list."""
    found = RevocationList(DER).entry(serial_number)
    assert (found and found.serial_number) == (serial_number if serial_number in REVOKED else None)


@pytest.mark.parametrize("padding", [b"", b"\0"], ids=["minimal", "padded"])
def test_a_number_is_found_in_every_encoding(padding: bytes) -> None:
    """A list of a careless encoder (X.690 8.3.2) never lets the revoked pass: it cannot be read, which is a failure."""
    number = 0x1122334455667788
    entry = der.sequence(der.wrap(der.INTEGER, padding + number.to_bytes(8, "big")), der.time(NOW))
    read = RevocationList(with_entries(entry))
    if padding:
        with pytest.raises(InputError, match="revocation list"):
            read.entry(number)
    else:
        found = read.entry(number)
        assert found is not None
        assert found.serial_number == number
    assert read.entry(number + 1) is None


def test_a_damaged_entry_fails_the_check_of_the_certificate_it_may_concern() -> None:
    """And raises nothing; of other certificates the list says what it says."""
    end = end_entity(intermediate()).make().certificate
    damaged = der.sequence(der.integer(end.serial_number), der.integer(1))
    lists = [RevocationList(with_entries(damaged)), RevocationList(crl(root()).public_bytes(Encoding.DER))]
    told = explain(
        end,
        [intermediate().certificate],
        [root().certificate],
        purpose=Purpose.SERVER,
        at=NOW,
        names=[HOST],
        crls=lists,
    )
    (failure,) = told.best.failures
    assert (failure.kind, failure.position) == (catalogue.CRL, 0)
    assert "entries of the list cannot be read" in failure.message


def with_entries(*entries: bytes) -> bytes:
    """Return the list with other entries, signed anew by its issuer."""
    signed, algorithm, _ = der_reader.read(DER).children()
    fields = [field.whole for field in signed.children()]
    fields[5] = der.sequence(*entries)
    content = der.sequence(*fields)
    key = intermediate().private_key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return der.sequence(content, algorithm.whole, der.bit_string(key.sign(content, ec.ECDSA(hashes.SHA256()))))


def test_what_stands_around_the_entries_is_that_of_the_whole_list() -> None:
    """With entries, with an empty sequence of them, and without."""
    for content in (DER, with_entries(), crl(root()).public_bytes(Encoding.DER)):
        read, whole = RevocationList(content), x509.load_der_x509_crl(content)
        assert read.issuer_key == tuple(comparable(whole.issuer))
        assert (read.this_update, read.next_update) == (whole.last_update_utc, whole.next_update_utc)
        assert (read.kind_fault, read.lapses) == (None, ())
        assert read.crl == whole


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
