"""How something is encrypted is read from its algorithm, with what a guess costs."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from counterseal.keystore.pkcs8 import encrypt_key
from counterseal.pki import der, der_reader
from counterseal.pki.encryption import MOST_ROUNDS, key_scheme, mac_scheme_of, scheme_of
from counterseal.pki.pem_reader import pem_blocks
from pki_fixtures import key_of

HMAC_SHA256 = der.sequence(der.object_identifier("1.2.840.113549.2.9"))
AES_256 = der.sequence(der.object_identifier("2.16.840.1.101.3.4.1.42"), der.octet_string(bytes(16)))


def _pbes2(oid: str, *parameters: bytes) -> bytes:
    derivation = der.sequence(der.object_identifier(oid), der.sequence(der.octet_string(b"salt"), *parameters))
    return der.sequence(der.object_identifier("1.2.840.113549.1.5.13"), der.sequence(derivation, AES_256))


@pytest.mark.parametrize(
    ("algorithm", "words", "rounds", "modern", "too_costly"),
    [
        (
            _pbes2("1.2.840.113549.1.5.12", der.integer(2048), HMAC_SHA256),
            "AES-256-CBC, PBKDF2 with HMAC SHA-256",
            2048,
            True,
            False,
        ),
        (
            _pbes2("1.2.840.113549.1.5.12", der.integer(MOST_ROUNDS + 1)),
            "AES-256-CBC, PBKDF2 with HMAC SHA-1",
            MOST_ROUNDS + 1,
            True,
            True,
        ),
        (
            _pbes2("1.3.6.1.4.1.11591.4.11", der.integer(1 << 20), der.integer(8), der.integer(1)),
            "AES-256-CBC, scrypt N=1048576 r=8 p=1",
            1 << 20,
            True,
            True,
        ),
        (_pbes2("1.2.3"), "AES-256-CBC, unknown derivation 1.2.3", None, True, False),
        (
            der.sequence(
                der.object_identifier("1.2.840.113549.1.12.1.6"), der.sequence(der.octet_string(b"s"), der.integer(9))
            ),
            "RC2-40 with SHA-1",
            9,
            False,
            False,
        ),
        (der.sequence(der.object_identifier("1.2.3")), "unknown algorithm 1.2.3", None, False, False),
    ],
)
def test_schemes(algorithm: bytes, words: str, rounds: int | None, modern: bool, too_costly: bool) -> None:  # noqa: FBT001 - expectations
    """PBES2 with both derivations, the old ones, and unknown ones by their number."""
    scheme = scheme_of(der_reader.read(algorithm))
    assert (scheme.words, scheme.rounds, scheme.modern, scheme.too_costly) == (words, rounds, modern, too_costly)


def test_keys_tell_their_scheme() -> None:
    """Our own key files, the traditional form of openssl, and garbage."""
    (block,) = pem_blocks(encrypt_key(key_of("p-256"), b"secret"))
    assert str(key_scheme(block.content)).startswith("Scheme(words='AES-256-CBC, scrypt N=16384 r=8 p=1'")
    traditional = key_of("p-256").private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"secret")
    )
    scheme = key_scheme(traditional)
    assert scheme
    assert (scheme.words, scheme.modern) == ("AES-256-CBC by OpenSSL's old derivation from MD5", False)
    assert key_scheme(b"\x30\x00") is None
    assert key_scheme(b"garbage") is None


def test_macs() -> None:
    """That of RFC 7292 with its rounds beside it, and PBMAC1 with its own."""

    def scheme(algorithm: bytes) -> tuple[str, int | None]:
        found = mac_scheme_of(der_reader.read(der.sequence(algorithm, der.octet_string(b"x"))), 7)
        return found.words, found.rounds

    derivation = der.sequence(
        der.object_identifier("1.2.840.113549.1.5.12"),
        der.sequence(der.octet_string(b"s"), der.integer(9), HMAC_SHA256),
    )
    pbmac1 = der.sequence(der.object_identifier("1.2.840.113549.1.5.14"), der.sequence(derivation, HMAC_SHA256))
    assert scheme(der.sequence(der.object_identifier("1.3.14.3.2.26"))) == ("HMAC SHA-1", 7)
    assert scheme(pbmac1) == ("PBMAC1, PBKDF2 with HMAC SHA-256", 9)
