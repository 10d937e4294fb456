"""PKCS#12: what is inside, what is refused; the bytes themselves are judged by other programs in integration tests."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from bundle_fixtures import PASSWORD, client_credential, single_tier_credential, without_key
from counterseal.bundles.pkcs12 import DEFAULT_ROUNDS, FAST_ROUNDS, MAX_ROUNDS, Strength, browser_key_refusal, encode
from counterseal.bundles.pkcs12_mac import with_mac_rounds
from counterseal.errors import InputError, NotFoundError, RefusedError
from pki_fixtures import key_of

BOTH = pytest.mark.parametrize("strength", list(Strength))


@BOTH
@pytest.mark.parametrize("kind", ["p-256", "p-384", "rsa-2048"])
@pytest.mark.parametrize("rounds", [FAST_ROUNDS, FAST_ROUNDS + 1])
def test_key_certificate_and_whole_chain_are_inside(strength: Strength, kind: str, rounds: int) -> None:
    """The trust anchor included, under the credential's name."""
    known = client_credential(kind)
    read = load_pkcs12(encode(known, PASSWORD, strength=strength, rounds=rounds), PASSWORD.encode())
    assert read.cert is not None
    assert (read.cert.friendly_name, read.cert.certificate) == (b"client.device", known.certificate)
    assert read.key is not None
    assert read.key.public_key() == known.certificate.public_key()
    assert [other.certificate for other in read.additional_certs] == list(known.authorities)


@BOTH
def test_a_single_tier_brings_its_root(strength: Strength) -> None:
    """An empty chain leaves the trust anchor alone beside the certificate."""
    known = single_tier_credential()
    read = load_pkcs12(encode(known, PASSWORD, strength=strength, rounds=FAST_ROUNDS), PASSWORD.encode())
    assert [other.certificate for other in read.additional_certs] == [known.trust_anchor]


@BOTH
@pytest.mark.parametrize(
    "password", ["".join(map(chr, range(0x20, 0x7F))), "pässwörter", "密码密码", "emoji 😀 inside"]
)
def test_any_printable_password_opens_the_file(strength: Strength, password: str) -> None:
    """Every ASCII sign, accents, and characters beyond the basic plane; and the MAC made here agrees."""
    content = encode(client_credential(), password, strength=strength, rounds=FAST_ROUNDS + 1)
    assert load_pkcs12(content, password.encode()).key is not None
    with pytest.raises(ValueError, match="Invalid password"):
        load_pkcs12(content, b"another password")


@BOTH
def test_the_mac_made_here_equals_the_library_s(strength: Strength) -> None:
    """Going to another number of rounds and back gives the same file, octet for octet."""
    content = encode(client_credential(), PASSWORD, strength=strength, rounds=FAST_ROUNDS)
    there = with_mac_rounds(content, PASSWORD, rounds=3_000)
    assert there != content
    assert with_mac_rounds(there, PASSWORD, rounds=FAST_ROUNDS) == content


@pytest.mark.parametrize("rounds", [-1, 0, 1, FAST_ROUNDS - 1, MAX_ROUNDS + 1])
def test_too_few_and_too_many_rounds_are_refused(rounds: int) -> None:
    """Nothing is lowered in silence."""
    with pytest.raises(InputError, match=str(rounds)) as caught:
        encode(client_credential(), PASSWORD, strength=Strength.MODERN, rounds=rounds)
    assert caught.value.code == "bundle.rounds"
    assert str(DEFAULT_ROUNDS) in (caught.value.hint or "")


@pytest.mark.parametrize("password", ["", "with\nnewline", "with\x00null", "\x7f"])
def test_an_empty_password_and_control_characters_are_refused(password: str) -> None:
    """They come from a file read wrongly, and nobody could type them."""
    with pytest.raises(InputError) as caught:
        encode(client_credential(), password, strength=Strength.MODERN)
    assert caught.value.code == "bundle.password_characters"
    assert password == "" or password not in caught.value.message


@pytest.mark.parametrize(
    ("kind", "shown"), [("ed25519", "Ed25519"), ("ed448", "Ed448"), ("p-521", "P-521"), ("secp256k1", "secp256k1")]
)
def test_a_key_that_browsers_cannot_use_is_refused(kind: str, shown: str) -> None:
    """With the kind of key in the message and a usable one in the hint."""
    with pytest.raises(RefusedError, match=shown) as caught:
        encode(client_credential(kind), PASSWORD, strength=Strength.MODERN)
    assert caught.value.code == "bundle.browser_key"
    assert "p-256" in (caught.value.hint or "")


@pytest.mark.parametrize("kind", ["p-256", "p-384", "rsa-2048"])
def test_keys_that_browsers_use_are_not_refused(kind: str) -> None:
    """The answer of the rule that issuing asks too."""
    assert browser_key_refusal(key_of(kind).public_key()) is None


def test_short_rsa_and_dsa_keys_are_refused() -> None:
    """Kinds that could only come from an imported CA."""
    assert "1024" in (browser_key_refusal(key_of("rsa-1024").public_key()) or "")
    assert "DSA" in (browser_key_refusal(dsa.generate_private_key(2048).public_key()) or "")


def test_without_the_key_there_is_no_file() -> None:
    """A bundle of certificates alone would import and never authenticate."""
    with pytest.raises(NotFoundError) as caught:
        encode(without_key(client_credential()), PASSWORD, strength=Strength.MODERN)
    assert caught.value.code == "bundle.key_missing"
