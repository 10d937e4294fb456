"""The MAC of a PKCS#12 file at as many rounds as its encryption (RFC 7292 section 4 and appendix B).

The cryptography library always writes the MAC with 2,048 rounds. Whoever guesses the password would try it there, so
that a higher count on the encryption alone protects nothing. Here the MAC is made again, with the salt that is in the
file, at the count that was asked for. Everything else in the file stays as the library wrote it.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from counterseal.pki import der, der_reader

if TYPE_CHECKING:
    from collections.abc import Callable

_MAC_KEY = b"\x03"  # appendix B.3, the purpose of the derived bytes
_BLOCK = 64  # the block size v of SHA-1 and SHA-256, appendix B.2
_DIGESTS = {"1.3.14.3.2.26": hashlib.sha1, "2.16.840.1.101.3.4.2.1": hashlib.sha256}


def with_mac_rounds(content: bytes, password: str, *, rounds: int) -> bytes:
    """Return the PKCS#12 ``content``, as the cryptography library wrote it, with its MAC at ``rounds`` (2 or more)."""
    version, auth_safe, mac_data = der_reader.read(content).children()
    digest_info, salt_octets, iterations = mac_data.children()
    if der_reader.as_integer(iterations) == rounds:
        return content
    algorithm, _ = digest_info.children()
    digest = _DIGESTS[der_reader.as_object_identifier(algorithm.children()[0])]
    key = mac_key(password, salt_octets.content, rounds=rounds, digest=digest)
    _, explicit = auth_safe.children()
    authenticated = hmac.digest(key, explicit.children()[0].content, digest().name)
    mac = der.sequence(algorithm.whole, der.octet_string(authenticated))
    return der.sequence(version.whole, auth_safe.whole, der.sequence(mac, salt_octets.whole, der.integer(rounds)))


def mac_key(password: str, salt: bytes, *, rounds: int, digest: Callable[[bytes], hashlib._Hash]) -> bytes:
    """Return the key of the MAC by appendix B.2, whose output is one digest: so its steps 6.B and 6.C fall away."""
    text = password.encode("utf-16-be") + b"\x00\x00"  # appendix B.1, a BMPString with its final null
    derived = _MAC_KEY * _BLOCK + _fill_blocks(salt) + _fill_blocks(text)
    for _ in range(rounds):
        derived = digest(derived).digest()
    return derived


def _fill_blocks(value: bytes) -> bytes:
    length = -(-len(value) // _BLOCK) * _BLOCK
    return (value * (length // len(value) + 1))[:length]
