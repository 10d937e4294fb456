"""Public keys: how kinds are named and shown, and which are not certified."""

from __future__ import annotations

from math import prod

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from counterseal.errors import InputError
from counterseal.pki.keys import (
    KEY_CHOICES,
    KeySpec,
    key_spec_of,
    parse_key_spec,
    show_key,
    signature_algorithm,
    weaknesses,
)
from counterseal.pki.rsa_numbers import exponent_faults, modulus_faults
from pki_fixtures import key_of

ROCA_PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)


def rsa_of_bits(bits: int, *, exponent: int = 65_537) -> rsa.RSAPublicKey:
    """Return a public key whose modulus has no property but its size; nobody knows a private key to it."""
    modulus = 1 << (bits - 1) | 1
    while any(modulus_faults(modulus)):
        modulus += 2
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


@pytest.mark.parametrize("text", KEY_CHOICES)
def test_every_choice_is_read_and_shown_again(text: str) -> None:
    """A kind of key prints as it is written."""
    assert str(parse_key_spec(text)) == text


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("P-256", KeySpec("p-256")),
        ("p256", KeySpec("p-256")),
        ("prime256v1", KeySpec("p-256")),
        ("secp384r1", KeySpec("p-384")),
        ("RSA-2048", KeySpec("rsa", 2048)),
        ("rsa-8192", KeySpec("rsa", 8192)),
        ("Ed25519", KeySpec("ed25519")),
    ],
)
def test_other_names_of_a_kind(text: str, spec: KeySpec) -> None:
    """Case does not matter, and OpenSSL's names of the curves are known."""
    assert parse_key_spec(text) == spec


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rsa",
        "rsa-",
        "rsa-2049",
        "rsa-16384",
        "rsa-02048",
        "rsa-２０４８",  # noqa: RUF001 - digits that int() would take
        "rsa-" + "9" * 5000,
        "secp256k1",
        "p-224",
        "dsa",
        "ed25519-1",
    ],
)
def test_what_is_no_kind_of_key(text: str) -> None:
    """The hint has the nearest choice or all of them, and the message shows a bounded part of what was given."""
    with pytest.raises(InputError, match="not a kind of key") as caught:
        parse_key_spec(text)
    assert caught.value.code == "key.spec"
    assert any(choice in (caught.value.hint or "") for choice in KEY_CHOICES)
    assert len(caught.value.message) < 200


@pytest.mark.parametrize("text", ["rsa-1024", "RSA1024", "rsa:512", "rsa-2047"])
def test_a_kind_of_key_that_is_too_weak(text: str) -> None:
    """It is known, and refused for what it is, with the least that will do."""
    with pytest.raises(InputError, match="RSA needs at least 2048 bits") as caught:
        parse_key_spec(text)
    assert (caught.value.code, repr(text) in caught.value.message) == ("key.weak", True)


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("p-256", "ECDSA P-256"),
        ("p-384", "ECDSA P-384"),
        ("p-521", "ECDSA P-521"),
        ("rsa-2048", "RSA 2048"),
        ("ed25519", "Ed25519"),
        ("ed448", "Ed448"),
    ],
)
def test_a_suitable_key(kind: str, shown: str) -> None:
    """It has a kind, no weakness, words for people and an algorithm to sign with."""
    key = key_of(kind).public_key()
    assert str(key_spec_of(key)) == kind
    assert show_key(key) == shown
    assert weaknesses(key) == ()
    assert signature_algorithm(key)[0] == 0x30


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (ec.generate_private_key(ec.SECP256K1()).public_key(), "EC secp256k1"),
        (ec.generate_private_key(ec.BrainpoolP256R1()).public_key(), "EC brainpoolP256r1"),
        (ec.generate_private_key(ec.SECP224R1()).public_key(), "EC secp224r1"),
        (dsa.generate_private_key(2048).public_key(), "DSA"),
        (x25519.X25519PrivateKey.generate().public_key(), "X25519"),
    ],
)
def test_an_unsuitable_key(key: ec.EllipticCurvePublicKey, shown: str) -> None:
    """Other curves, DSA and keys that cannot sign have no kind here and are refused by name."""
    assert key_spec_of(key) is None
    assert show_key(key) == shown
    assert [(finding.code, finding.message) for finding in weaknesses(key)] == [
        ("key.unsuitable", f"unsuitable key: {shown}")
    ]
    with pytest.raises(InputError, match=shown):
        signature_algorithm(key)


@pytest.mark.parametrize(
    ("key", "codes"),
    [
        (rsa_of_bits(1024), ["key.weak"]),
        (rsa_of_bits(2047), ["key.weak"]),
        (rsa_of_bits(2048), []),
        (rsa_of_bits(8192), []),
        (rsa_of_bits(8193), ["key.too_large"]),
        (rsa_of_bits(2048, exponent=3), ["key.exponent"]),
        (rsa_of_bits(2048, exponent=65_535), ["key.exponent"]),
        (rsa_of_bits(2048, exponent=2**64 - 1), []),
        (rsa_of_bits(2048, exponent=2**64 + 1), ["key.exponent"]),
        (rsa_of_bits(1024, exponent=3), ["key.weak", "key.exponent"]),
        (rsa.RSAPublicNumbers(65_537, (1 << 2047) + 1).public_key(), ["key.modulus"]),
    ],
)
def test_weak_rsa_keys(key: rsa.RSAPublicKey, codes: list[str]) -> None:
    """Size and exponent at their bounds; several weaknesses are told together."""
    assert [finding.code for finding in weaknesses(key)] == codes


@pytest.mark.parametrize("sign", [0, 0x80])
@pytest.mark.parametrize(
    "octets",
    [
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
        "00" * 57,
        "01" + "00" * 56,
        "fe" + "ff" * 27 + "fe" + "ff" * 27 + "00",
    ],
)
def test_a_point_of_low_order_is_no_key(octets: str, sign: int) -> None:
    """All of both curves, also as they are not written: OpenSSL verifies what nobody had a key for."""
    content = bytearray.fromhex(octets)
    content[-1] |= sign
    loaded = Ed448PublicKey if len(content) == 57 else Ed25519PublicKey
    assert [finding.code for finding in weaknesses(loaded.from_public_bytes(bytes(content)))] == ["key.low_order"]


def test_a_signature_that_everybody_can_make() -> None:
    """Why such a key is refused: the neutral point and zero verify for any message."""
    neutral = bytes([1, *bytes(31)])
    Ed25519PublicKey.from_public_bytes(neutral).verify(neutral + bytes(32), b"whatever")


def test_an_even_exponent_is_a_fault() -> None:
    """The library reads no such key, other sources of numbers might."""
    assert list(exponent_faults(65_538)) == ["RSA exponent is even: 65538"]


def test_moduli_that_can_be_factored() -> None:
    """A small factor, two close primes, and the pattern of the chips of CVE-2017-15361."""
    prime = 2**521 - 1
    assert list(modulus_faults(prime * 739)) == ["RSA modulus has a small factor"]
    assert list(modulus_faults(2 * prime)) == ["RSA modulus has a small factor"]
    close = 2**607 - 1
    assert any("close primes" in fault for fault in modulus_faults(close * close))
    assert any("close primes" in fault for fault in modulus_faults(close * (close + 2**200)))
    assert list(modulus_faults(prime * (2**1279 - 1))) == []
    period = prod(ROCA_PRIMES)
    faulty = pow(65_537, 12_345, period) + period * (1 << 1900)
    while list(modulus_faults(faulty)) != [
        "RSA modulus comes from a faulty chip and can be factored (ROCA, CVE-2017-15361)"
    ]:
        assert faulty < period * (1 << 1901)
        faulty += period
