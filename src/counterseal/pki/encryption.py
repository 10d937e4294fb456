"""How a key or a PKCS#12 is encrypted with a password, and what every guess at it costs.

Read before anything is decrypted, so that a file cannot ask for hours of work or all memory. RFC 8018 (PBES1, PBES2),
RFC 7292 appendix C, RFC 7914 (scrypt), RFC 9579 (PBMAC1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.pki import der, der_reader

if TYPE_CHECKING:
    from counterseal.pki.der_reader import Element

MOST_ROUNDS = 10_000_000
"""Some seconds; beyond it nothing is tried."""
MOST_MEMORY = 256 * 1024 * 1024

_PBES2, _PBMAC1 = "1.2.840.113549.1.5.13", "1.2.840.113549.1.5.14"
_PBKDF2, _SCRYPT = "1.2.840.113549.1.5.12", "1.3.6.1.4.1.11591.4.11"
_CIPHERS = {
    "2.16.840.1.101.3.4.1.2": "AES-128-CBC",
    "2.16.840.1.101.3.4.1.6": "AES-128-GCM",
    "2.16.840.1.101.3.4.1.22": "AES-192-CBC",
    "2.16.840.1.101.3.4.1.26": "AES-192-GCM",
    "2.16.840.1.101.3.4.1.42": "AES-256-CBC",
    "2.16.840.1.101.3.4.1.46": "AES-256-GCM",
    "1.2.840.113549.3.7": "triple DES",
    "1.2.840.113549.3.2": "RC2",
    "1.3.14.3.2.7": "DES",
}
_OLD = {  # RFC 7292 appendix C and RFC 8018 A.3: one number for derivation and cipher
    "1.2.840.113549.1.12.1.1": "RC4-128 with SHA-1",
    "1.2.840.113549.1.12.1.2": "RC4-40 with SHA-1",
    "1.2.840.113549.1.12.1.3": "triple DES with SHA-1",
    "1.2.840.113549.1.12.1.4": "two-key triple DES with SHA-1",
    "1.2.840.113549.1.12.1.5": "RC2-128 with SHA-1",
    "1.2.840.113549.1.12.1.6": "RC2-40 with SHA-1",
    "1.2.840.113549.1.5.1": "DES with MD2",
    "1.2.840.113549.1.5.3": "DES with MD5",
    "1.2.840.113549.1.5.10": "DES with SHA-1",
}
_DIGESTS = {
    "1.3.14.3.2.26": "SHA-1",
    "2.16.840.1.101.3.4.2.1": "SHA-256",
    "2.16.840.1.101.3.4.2.2": "SHA-384",
    "2.16.840.1.101.3.4.2.3": "SHA-512",
    "1.2.840.113549.2.5": "MD5",
    "1.2.840.113549.2.7": "SHA-1",
    "1.2.840.113549.2.9": "SHA-256",
    "1.2.840.113549.2.10": "SHA-384",
    "1.2.840.113549.2.11": "SHA-512",
}
_DEK_INFO = re.compile(rb"-----BEGIN [^\r\n]*\r?\n[^\r\n]*\r?\nDEK-Info: ([A-Z0-9-]{1,40}),")
_HMAC_SHA1 = "1.2.840.113549.2.7"  # RFC 8018 A.2: what PBKDF2 uses when it says nothing


@dataclass(frozen=True, slots=True)
class Scheme:
    """How something is protected: in words, ``modern`` as of PBES2 with AES, and the work of one guess.

    ``rounds`` of the derivation (None when unknown), ``memory`` in bytes.
    """

    words: str
    modern: bool
    rounds: int | None
    memory: int = 0

    @property
    def too_costly(self) -> bool:
        """Whether trying one password would take longer, or more memory, than anybody means it to."""
        return self.memory > MOST_MEMORY or (self.rounds or 0) > MOST_ROUNDS


def scheme_of(algorithm: Element) -> Scheme:
    """Return what an AlgorithmIdentifier of password-based encryption says; raises InputError ``der.malformed``."""
    oid, parameters = _algorithm(algorithm)
    if oid == _PBES2 and len(parts := parameters.children() if parameters else []) == 2:  # noqa: PLR2004 - derivation and cipher
        derivation, rounds, memory = _derivation(parts[0])
        cipher, _ = _algorithm(parts[1])
        name = _CIPHERS.get(cipher, cipher)
        return Scheme(f"{name}, {derivation}", name.startswith("AES"), rounds, memory)
    rounds = _rounds(parameters) if oid in _OLD else None
    return Scheme(_OLD.get(oid, f"unknown algorithm {oid}"), False, rounds)


def mac_scheme_of(digest_info: Element, rounds: int) -> Scheme:
    """Return what the DigestInfo of a PKCS#12's MAC says; ``rounds`` stand beside it (RFC 7292 4)."""
    oid, parameters = _algorithm(digest_info.children()[0])
    if oid == _PBMAC1 and parameters is not None:
        derivation, own_rounds, memory = _derivation(parameters.children()[0])
        return Scheme(f"PBMAC1, {derivation}", True, own_rounds, memory)
    name = _DIGESTS.get(oid, oid)
    return Scheme(f"HMAC {name}", name not in {"SHA-1", "MD5"}, rounds)


def key_scheme(encrypted: bytes) -> Scheme | None:
    """Return how an encrypted key is encrypted, or None when that cannot be read.

    ``encrypted`` is a DER EncryptedPrivateKeyInfo (RFC 5958 3), or a PEM block with a DEK-Info header (RFC 1421).
    """
    if traditional := _DEK_INFO.search(encrypted):
        return Scheme(f"{traditional[1].decode()} by OpenSSL's old derivation from MD5", modern=False, rounds=1)
    try:
        return scheme_of(der_reader.read(encrypted).children()[0])
    except (InputError, IndexError):
        return None


def _derivation(element: Element) -> tuple[str, int | None, int]:
    oid, parameters = _algorithm(element)
    fields = parameters.children() if parameters else []
    numbers = [der_reader.as_integer(field) for field in fields if field.tag == der.INTEGER]
    if oid == _PBKDF2 and numbers:
        hashes = [_algorithm(field)[0] for field in fields if field.tag == der.SEQUENCE]
        digest = hashes[-1] if hashes else _HMAC_SHA1
        return f"PBKDF2 with HMAC {_DIGESTS.get(digest, digest)}", numbers[0], 0
    if oid == _SCRYPT and len(numbers) >= 3:  # noqa: PLR2004 - N, r and p
        cost, block, parallel = numbers[:3]
        return f"scrypt N={cost} r={block} p={parallel}", cost * max(parallel, 1), 128 * cost * block
    return f"unknown derivation {oid}", None, 0


def _rounds(parameters: Element | None) -> int | None:
    fields = parameters.children() if parameters else []
    return next((der_reader.as_integer(field) for field in fields if field.tag == der.INTEGER), None)


def _algorithm(element: Element) -> tuple[str, Element | None]:
    fields = element.expect(der.SEQUENCE).children()
    if not fields:
        der_reader.refuse("an algorithm without its number", element.first)
    return der_reader.as_object_identifier(fields[0]), fields[1] if fields[1:] else None
