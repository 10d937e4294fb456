"""A PKCS#12 file tells how it is protected without its password, and what it holds with it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundle_fixtures import client_credential
from counterseal.bundles.pkcs12 import Strength, encode
from counterseal.bundles.pkcs12_reader import open_pkcs12, protection_findings, read_protection
from counterseal.errors import InputError, KeyAccessError
from counterseal.pki import der

FILES = {strength: encode(client_credential(), "secret", strength=strength, rounds=2048) for strength in Strength}


@pytest.mark.parametrize("strength", Strength)
def test_the_protection_is_told_without_the_password(strength: Strength) -> None:
    """Encryption, MAC, rounds, and the name on the key, which stands outside of the encrypted part."""
    found = read_protection(FILES[strength])
    assert found.strength is strength
    assert found.mac
    assert found.key
    assert found.certificates
    assert (found.mac.rounds, found.key.rounds, found.certificates.rounds) == (2048, 2048, 2048)
    assert found.friendly_names == (client_credential().name,)
    assert list(protection_findings(found)) == []


def test_the_contents_are_told_with_the_password() -> None:
    """Certificate and chain with their names, and of the key its public half."""
    contents = open_pkcs12(FILES[Strength.MODERN], "secret")
    certificates = [named.certificate for named in contents.certificates]
    assert certificates == [client_credential().certificate, *client_credential().authorities]
    assert contents.certificates[0].friendly_name == client_credential().name
    assert contents.public_key == client_credential().certificate.public_key()
    with pytest.raises(KeyAccessError, match="does not open"):
        open_pkcs12(FILES[Strength.MODERN], "wrong")


def test_a_file_that_asks_for_hours_of_work_is_refused() -> None:
    """Before anything is tried: the rounds of the MAC are read first."""
    mac = der.sequence(_digest_info(), der.octet_string(b"salt"), der.integer(2**31))
    empty = der.sequence(
        der.object_identifier("1.2.840.113549.1.7.1"), der.explicit(0, der.octet_string(der.sequence()))
    )
    with pytest.raises(InputError, match="the PKCS#12 file asks for more work"):
        open_pkcs12(der.sequence(der.integer(3), empty, mac), "secret")


def test_what_is_no_pkcs12_is_named() -> None:
    """Cut short, or something else."""
    for content in (b"", b"hello", FILES[Strength.MODERN][:100]):
        with pytest.raises(InputError) as caught:
            open_pkcs12(content, "secret")
        assert caught.value.code == "pkcs12.malformed"


def _digest_info() -> bytes:
    algorithm = der.sequence(der.object_identifier("2.16.840.1.101.3.4.2.1"), der.NULL)
    return der.sequence(algorithm, der.octet_string(bytes(32)))


def test_a_file_without_any_protection() -> None:
    """No MAC, and nothing encrypted: said as findings."""
    key_bag = der.sequence(der.object_identifier("1.2.840.113549.1.12.10.1.1"), der.explicit(0, der.sequence()))
    data = der.object_identifier("1.2.840.113549.1.7.1")
    inner = der.sequence(data, der.explicit(0, der.octet_string(der.sequence(key_bag))))
    outer = der.sequence(data, der.explicit(0, der.octet_string(der.sequence(inner))))
    found = read_protection(der.sequence(der.integer(3), outer))
    assert (found.strength, found.open_keys) == (None, 1)
    assert {finding.code for finding in protection_findings(found)} == {"pkcs12.open_key", "pkcs12.no_mac"}


@settings(max_examples=200)
@given(
    st.sampled_from(list(Strength)),
    st.lists(st.tuples(st.integers(0, 2500), st.binary(min_size=1, max_size=3)), max_size=5),
    st.integers(0, 3000),
)
def test_no_mutation_makes_it_fail_in_another_way(
    strength: Strength, edits: list[tuple[int, bytes]], length: int
) -> None:
    """An answer or InputError: never another exception, a hang or endless memory."""
    content = bytearray(FILES[strength])
    for position, replacement in edits:
        content[position : position + len(replacement)] = replacement
    with suppress(InputError):
        read_protection(bytes(content[:length]))
