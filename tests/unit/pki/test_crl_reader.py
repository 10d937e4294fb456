"""Reading revocation lists: what the builder wrote comes back, and broken lists are refused by name."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from counterseal.errors import InputError
from counterseal.pki import crl_reader, der
from counterseal.pki.crl import RevocationReason, encode_entry, sign_crl
from signing import KeySigner, ca_certificate

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
CERTIFICATE = ca_certificate(KEY)

serial_numbers = st.integers(min_value=0, max_value=1 << 2000)  # beyond what the length of one octet can hold
reasons = st.none() | st.sampled_from([RevocationReason.KEY_COMPROMISE, RevocationReason.CERTIFICATE_HOLD])
entries = st.lists(st.tuples(serial_numbers, reasons), max_size=12)


def signed(*encoded: bytes) -> bytes:
    """Return list number 41, valid for a week from NOW."""
    return sign_crl(
        CERTIFICATE,
        number=41,
        this_update=NOW,
        next_update=NOW + timedelta(days=7),
        entries=encoded,
        signer=KeySigner(KEY),
    )


EXAMPLE = signed(encode_entry(5, NOW, reason=RevocationReason.SUPERSEDED), encode_entry(1 << 127, NOW))


def read_everything(crl: bytes) -> None:
    """Read a list in every way there is."""
    crl_reader.parse_facts(crl)
    crl_reader.revoked_serials(crl)
    crl_reader.encoded_entries(crl)
    crl_reader.count_reasons(crl)
    crl_reader.update_times(crl)
    crl_reader.without_entries(crl)
    list(crl_reader.revocations(crl))


def refusal(crl: bytes) -> str | None:
    """Return the code of the InputError that reading raises, or None."""
    try:
        read_everything(crl)
    except InputError as error:
        return error.code
    return None


@given(entries)
def test_entries_come_back(pairs: list[tuple[int, RevocationReason | None]]) -> None:
    """Serials of any size, in order, with their reasons, by every way of reading."""
    crl = signed(*(encode_entry(serial, NOW, reason=reason) for serial, reason in pairs))
    read = list(crl_reader.revocations(crl))
    assert [(entry.serial_number, entry.reason) for entry in read] == pairs
    assert all(entry.revoked_at == NOW for entry in read)
    assert crl_reader.revoked_serials(crl) == {serial for serial, _ in pairs}
    assert crl_reader.count_reasons(crl) == Counter(reason for _, reason in pairs)
    assert crl_reader.parse_facts(crl).count == len(pairs)


def test_facts_come_back() -> None:
    """Number, times, issuer and key identifier."""
    assert crl_reader.parse_facts(EXAMPLE) == crl_reader.CRLFacts(
        issuer=CERTIFICATE.subject,
        number=41,
        this_update=NOW,
        next_update=NOW + timedelta(days=7),
        count=2,
        authority_key_identifier=b"any identifier",
    )


def test_a_list_of_version_1_is_read() -> None:
    """No version, no next update, no extensions: old lists look like that."""
    algorithm, name = KeySigner(KEY).signature_algorithm, CERTIFICATE.subject.public_bytes()
    entry = der.sequence(der.integer(9), der.time(NOW))
    fields = der.sequence(algorithm, name, der.time(NOW), der.sequence(entry))
    crl = der.sequence(fields, algorithm, der.bit_string(b"no signature"))
    facts = crl_reader.parse_facts(crl)
    assert (facts.number, facts.next_update, facts.count) == (None, None, 1)
    assert crl_reader.revoked_serials(crl) == {9}


def test_an_unknown_reason_reads_as_unspecified() -> None:
    """Reason 7 is not used by the RFC; a list that has it is still read."""
    code = der.extension("2.5.29.21", der.enumerated(7), critical=False)
    crl = signed(der.sequence(der.integer(1), der.time(NOW), der.sequence(code)))
    assert [entry.reason for entry in crl_reader.revocations(crl)] == [RevocationReason.UNSPECIFIED]
    assert crl_reader.count_reasons(crl) == {RevocationReason.UNSPECIFIED: 1}


@pytest.mark.parametrize(
    "crl",
    [
        b"",
        b"-----BEGIN X509 CRL-----",
        EXAMPLE[:-1],
        EXAMPLE + b"\0",
        CERTIFICATE.tbs_certificate_bytes,
        signed(b"\x30\x00"),
        signed(b"\x02\x01\x05"),
        signed(encode_entry(5, NOW)[:-3]),
        signed(der.sequence(der.integer(5), der.integer(6))),
    ],
)
def test_broken_lists_are_refused(crl: bytes) -> None:
    """Cut, lengthened, something else, and entries that are none."""
    assert refusal(crl) == "crl.malformed"


@given(st.integers(0, len(EXAMPLE) - 1), st.binary(max_size=6), st.integers(0, 6))
def test_mutated_lists_are_read_or_refused(at: int, inserted: bytes, left_out: int) -> None:
    """Nothing but ``crl.malformed`` ever comes out of a damaged list."""
    crl = EXAMPLE[:at] + inserted + EXAMPLE[at + left_out :]
    assert refusal(crl) in {None, "crl.malformed"}


@given(entries)
def test_the_library_reads_the_same(pairs: list[tuple[int, RevocationReason | None]]) -> None:
    """The cryptography library, as the independent reader, finds the same serial numbers."""
    pairs = [(serial, reason) for serial, reason in pairs if 0 < serial < 1 << 159]
    crl = signed(*(encode_entry(serial, NOW, reason=reason) for serial, reason in pairs))
    assert [entry.serial_number for entry in x509.load_der_x509_crl(crl)] == [serial for serial, _ in pairs]
