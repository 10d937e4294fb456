"""Signing revocation lists: the same bytes as the cryptography library's builder, for any entries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from counterseal.errors import InputError, RefusedError
from counterseal.pki import crl_reader, der_reader
from counterseal.pki.crl import REASON_NUMBERS, RevocationReason, encode_entry, sign_crl, to_pem
from signing import KeySigner, ca_certificate

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=7)
ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
IN_FULL_LISTS = [reason for reason in RevocationReason if reason is not RevocationReason.REMOVE_FROM_CRL]

moments = st.datetimes(
    min_value=datetime(1950, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001 - same
    timezones=st.just(UTC),
)
serial_numbers = st.integers(min_value=1, max_value=(1 << 159) - 1)
revocations = st.tuples(serial_numbers, moments, st.none() | st.sampled_from(IN_FULL_LISTS))


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """One RSA key for the whole module: making one takes a while."""
    return rsa.generate_private_key(65537, 2048)


def by_library(
    key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey,
    entries: list[tuple[int, datetime, RevocationReason | None]],
    number: int,
    times: tuple[datetime, datetime],
) -> bytes:
    """Return the list as the cryptography library's own builder makes it."""
    certificate = ca_certificate(key)
    identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(certificate.subject)
        .last_update(times[0])
        .next_update(times[1])
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for serial_number, revoked_at, reason in entries:
        entry = x509.RevokedCertificateBuilder().serial_number(serial_number).revocation_date(revoked_at)
        if reason not in {None, RevocationReason.UNSPECIFIED}:
            entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags[str(reason)]), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    algorithm = hashes.SHA256() if isinstance(key, rsa.RSAPrivateKey) else None
    return builder.sign(key, algorithm).public_bytes(Encoding.DER)


def signed(*entries: bytes | memoryview, number: int = 1, key: ed25519.Ed25519PrivateKey = ED25519) -> bytes:
    """Return a list of these entries that is valid for a week from NOW."""
    certificate = ca_certificate(key)
    return sign_crl(
        certificate, number=number, this_update=NOW, next_update=LATER, entries=entries, signer=KeySigner(key)
    )


@given(
    st.lists(revocations, max_size=12),
    st.integers(min_value=0, max_value=(1 << 159) - 1),
    st.tuples(moments, moments).filter(lambda times: times[0].replace(microsecond=0) < times[1].replace(microsecond=0)),
)
def test_lists_equal_the_librarys_byte_for_byte(
    entries: list[tuple[int, datetime, RevocationReason | None]], number: int, times: tuple[datetime, datetime]
) -> None:
    """Any serials, dates past 2049, reasons and numbers: with a deterministic signature the whole list is the same."""
    ours = sign_crl(
        ca_certificate(ED25519),
        number=number,
        this_update=times[0],
        next_update=times[1],
        entries=[encode_entry(serial, moment, reason=reason) for serial, moment, reason in entries],
        signer=KeySigner(ED25519),
    )
    assert ours == by_library(ED25519, entries, number, times)


@settings(max_examples=10, deadline=None)
@given(st.lists(revocations, max_size=200))
def test_rsa_lists_equal_the_librarys(entries: list[tuple[int, datetime, RevocationReason | None]]) -> None:
    """The same with RSA, whose algorithm carries a NULL, and with lists that need longer length octets."""
    encoded = [encode_entry(serial, moment, reason=reason) for serial, moment, reason in entries]
    ours = sign_crl(
        ca_certificate(rsa_key()),
        number=7,
        this_update=NOW,
        next_update=LATER,
        entries=encoded,
        signer=KeySigner(rsa_key()),
    )
    assert ours == by_library(rsa_key(), entries, 7, (NOW, LATER))


def test_ecdsa_signatures_verify() -> None:
    """A list signed with P-256 verifies with the issuer's public key."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = ca_certificate(key)
    encoded = sign_crl(
        certificate,
        number=1,
        this_update=NOW,
        next_update=LATER,
        entries=[encode_entry(5, NOW)],
        signer=KeySigner(key),
    )
    assert x509.load_der_x509_crl(encoded).is_signature_valid(key.public_key())


def test_an_empty_list_has_no_list_of_entries() -> None:
    """RFC 5280 5.1.2.6: when nothing is revoked the field is absent."""
    fields = der_reader.read(signed()).children()[0].children()
    assert [field.tag for field in fields] == [0x02, 0x30, 0x30, 0x17, 0x17, 0xA0]


def test_entries_of_an_older_list_are_taken_over_whole() -> None:
    """Extending a list by its own encoded entries gives the same as encoding all of them again."""
    old, new = [encode_entry(serial, NOW) for serial in (1, 2)], encode_entry(3, LATER)
    extended = signed(crl_reader.encoded_entries(signed(*old)), new, number=2)
    assert extended == signed(*old, new, number=2)


def test_entries_may_come_from_a_generator() -> None:
    """More entries than are joined at a time, none of them held by the caller."""
    count = 10_000
    facts = crl_reader.parse_facts(signed(*(encode_entry(serial, NOW) for serial in range(1, count + 1))))
    assert facts.count == count


def test_times_are_written_in_utc() -> None:
    """An entry of another zone is the same moment in UTC."""
    there = NOW.astimezone(timezone(timedelta(hours=8)))
    assert encode_entry(1, there) == encode_entry(1, NOW)


def test_the_issuer_name_is_taken_byte_for_byte() -> None:
    """String types of the certificate's subject survive, though the library would choose others."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Old", _type=x509.name._ASN1Type.T61String)])
    certificate = ca_certificate(ED25519, name=name)
    encoded = sign_crl(certificate, number=1, this_update=NOW, next_update=LATER, entries=[], signer=KeySigner(ED25519))
    assert bytes.fromhex("0603550403 1403") + b"Old" in encoded


def test_an_issuer_without_key_identifier_gets_one_from_its_key() -> None:
    """The authority key identifier is there for old CAs too (RFC 5280 5.2.1)."""
    certificate = ca_certificate(ED25519, with_key_identifier=False, crl_sign=None)
    encoded = sign_crl(certificate, number=1, this_update=NOW, next_update=LATER, entries=[], signer=KeySigner(ED25519))
    expected = x509.SubjectKeyIdentifier.from_public_key(ED25519.public_key()).digest
    assert crl_reader.parse_facts(encoded).authority_key_identifier == expected


@pytest.mark.parametrize(
    ("number", "next_update", "code"),
    [
        (-1, LATER, "crl.number"),
        (1 << 159, LATER, "crl.number"),
        (1, NOW, "crl.validity"),
        (1, NOW - timedelta(seconds=1), "crl.validity"),
    ],
)
def test_impossible_fields_are_refused(number: int, next_update: datetime, code: str) -> None:
    """Numbers beyond 20 octets and lists that end before they begin."""
    certificate, signer = ca_certificate(ED25519), KeySigner(ED25519)
    with pytest.raises(InputError) as caught:
        sign_crl(certificate, number=number, this_update=NOW, next_update=next_update, entries=[], signer=signer)
    assert caught.value.code == code


def test_a_naive_time_is_refused() -> None:
    """A time without zone could mean anything."""
    with pytest.raises(InputError, match="without a zone"):
        encode_entry(1, NOW.replace(tzinfo=None))


def test_remove_from_crl_is_refused() -> None:
    """RFC 5280 5.3.1: only in delta lists."""
    with pytest.raises(InputError, match="reason has no place in a full list: remove_from_crl"):
        encode_entry(1, NOW, reason=RevocationReason.REMOVE_FROM_CRL)


def test_a_negative_serial_number_is_refused() -> None:
    """No certificate has one."""
    with pytest.raises(InputError, match="serial number is negative: -1"):
        encode_entry(-1, NOW)


def test_the_wrong_key_is_refused() -> None:
    """A list signed with a key that is not the issuer's would be worthless."""
    other = KeySigner(ed25519.Ed25519PrivateKey.generate())
    with pytest.raises(InputError, match="the key is not that of the issuer: CN=Test Root"):
        sign_crl(ca_certificate(ED25519), number=1, this_update=NOW, next_update=LATER, entries=[], signer=other)


def test_an_issuer_that_may_not_sign_lists_is_refused() -> None:
    """Its lists would make nginx refuse every client."""
    certificate = ca_certificate(ED25519, crl_sign=False)
    with pytest.raises(RefusedError, match="lacks cRLSign"):
        sign_crl(certificate, number=1, this_update=NOW, next_update=LATER, entries=[], signer=KeySigner(ED25519))


def test_reason_numbers_are_those_of_the_rfc() -> None:
    """RFC 5280 5.3.1, value 7 is not used."""
    assert [REASON_NUMBERS[reason] for reason in RevocationReason] == [0, 1, 2, 3, 4, 5, 6, 8, 9, 10]


@given(st.lists(revocations, max_size=40))
def test_pem_equals_the_librarys(entries: list[tuple[int, datetime, RevocationReason | None]]) -> None:
    """Lines of 64 characters, whatever the length of the last one."""
    encoded = signed(*(encode_entry(serial, moment, reason=reason) for serial, moment, reason in entries))
    assert to_pem(encoded) == x509.load_der_x509_crl(encoded).public_bytes(Encoding.PEM)
