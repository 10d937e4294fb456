"""The MAC of a PKCS#12 file at as many rounds as its encryption (RFC 7292 section 4 and appendix B).

The cryptography library always writes the MAC with 2,048 rounds. Whoever guesses the password would try it there, so
that a higher count on the encryption alone protects nothing. Here the MAC is made again, with the salt that is in the
file, at the count that was asked for. Everything else in the file stays as the library wrote it.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Annotated

from cryptography import x509  # noqa: TC002 - asn1.sequence reads the annotations when the class is made
from cryptography.hazmat import asn1

if TYPE_CHECKING:
    from collections.abc import Callable

_MAC_KEY = b"\x03"  # appendix B.3, the purpose of the derived bytes
_BLOCK = 64  # the block size v of SHA-1 and SHA-256, appendix B.2
_DIGESTS = {"1.3.14.3.2.26": hashlib.sha1, "2.16.840.1.101.3.4.2.1": hashlib.sha256}


@asn1.sequence
class _AlgorithmIdentifier:
    algorithm: x509.ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class _DigestInfo:
    algorithm: _AlgorithmIdentifier
    digest: bytes


@asn1.sequence
class _MacData:
    mac: _DigestInfo
    salt: bytes
    iterations: Annotated[int, asn1.Default(1)]


@asn1.sequence
class _ContentInfo:
    content_type: x509.ObjectIdentifier
    content: Annotated[bytes, asn1.Explicit(0)]


@asn1.sequence
class _PFX:
    version: int
    auth_safe: _ContentInfo
    mac_data: _MacData


def with_mac_rounds(content: bytes, password: str, *, rounds: int) -> bytes:
    """Return the PKCS#12 ``content``, as the cryptography library wrote it, with its MAC at ``rounds`` rounds."""
    pfx = asn1.decode_der(_PFX, content)
    if pfx.mac_data.iterations == rounds:
        return content
    algorithm, salt = pfx.mac_data.mac.algorithm, pfx.mac_data.salt
    digest = _DIGESTS[algorithm.algorithm.dotted_string]
    key = mac_key(password, salt, rounds=rounds, digest=digest)
    authenticated = hmac.digest(key, pfx.auth_safe.content, digest().name)
    mac = _MacData(mac=_DigestInfo(algorithm=algorithm, digest=authenticated), salt=salt, iterations=rounds)
    return asn1.encode_der(_PFX(version=pfx.version, auth_safe=pfx.auth_safe, mac_data=mac))


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
