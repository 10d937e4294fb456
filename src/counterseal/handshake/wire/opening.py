"""A ClientHello of TLS 1.3 that asks for an OCSP response, and the keys that open what the server answers.

Python's ssl asks for none, and lets nobody change its ClientHello: in TLS 1.3 the keys depend on every octet of it
(RFC 8446 7.1). So the little that it takes to read up to the server's Certificate is here; nothing is verified, and the
handshake never comes to its end. Key and random are handed in. RFC 8446 4.1, 4.2, 5.2 and 7.1, RFC 6066 8, RFC 7748.
"""

from __future__ import annotations

import hmac
from hashlib import new
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from counterseal.handshake.wire.hello import (
    GROUPS,
    KEY_SHARE,
    SERVER_NAME,
    SIGNATURE_ALGORITHMS,
    SUPPORTED_VERSIONS,
    read_extensions,
    server_hello,
)
from counterseal.handshake.wire.numbers import TLS13
from counterseal.handshake.wire.reader import Reader, refuse, vector

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

STATUS_REQUEST = bytes.fromhex("0005 0005 01 0000 0000")
"""The extension: by OCSP, from any responder, without extensions of its own (RFC 6066 8)."""
_X25519 = bytes.fromhex("001d")
_SIGNATURES = bytes.fromhex("0403 0503 0603 0804 0805 0806 0807 0808 0401 0501 0601")  # every kind of certificate
_IV_LENGTH = 12


class _Suite(NamedTuple):
    aead: type[AESGCM | ChaCha20Poly1305]
    hash: str
    key_length: int


_SUITES = {
    0x1301: _Suite(AESGCM, "sha256", 16),
    0x1302: _Suite(AESGCM, "sha384", 32),
    0x1303: _Suite(ChaCha20Poly1305, "sha256", 32),
}
"""RFC 8446 B.4."""


def client_hello13(server_name: str | None, random: bytes, public: bytes) -> bytes:
    """Return the message, header included, with ``random`` of 32 octets and an X25519 share of 32."""
    name = b"" if server_name is None else vector(b"\x00" + vector(server_name.encode("idna"), 2), 2)
    extensions = (
        *([(SERVER_NAME, name)] if name else []),
        (GROUPS, vector(_X25519, 2)),
        (SIGNATURE_ALGORITHMS, vector(_SIGNATURES, 2)),
        (SUPPORTED_VERSIONS, vector(TLS13.to_bytes(2, "big"), 1)),
        (KEY_SHARE, vector(_X25519 + vector(public, 2), 2)),
    )
    held = b"".join(number.to_bytes(2, "big") + vector(content, 2) for number, content in extensions)
    suites = b"".join(suite.to_bytes(2, "big") for suite in _SUITES)
    body = b"\x03\x03" + random + vector(b"", 1) + vector(suites, 2) + vector(b"\x00", 1)
    return b"\x01" + vector(body + vector(held + STATUS_REQUEST, 2), 3)


class Opener:
    """Opens the server's records under its handshake traffic secret, one after the other."""

    def __init__(self, hello: bytes, answer: bytes, key: X25519PrivateKey) -> None:
        """``hello`` and ``answer`` are ClientHello and ServerHello with their headers, ``key`` that of the share.

        Raises InputError ``tls.malformed`` where the answer is of another version, group or suite than was offered.
        """
        chosen = server_hello(Reader(answer[4:]))
        suite = _SUITES.get(chosen.cipher_suite)
        if suite is None or chosen.version != TLS13 or chosen.retry:
            refuse("a ServerHello that chooses what was not offered")
        shared = _shared(answer, key)
        empty = new(suite.hash).digest()
        early = hmac.digest(bytes(len(empty)), bytes(len(empty)), suite.hash)
        derived = _expand(suite, early, "derived", empty, len(empty))
        secret = hmac.digest(derived, shared, suite.hash)
        transcript = new(suite.hash, hello + answer).digest()
        traffic = _expand(suite, secret, "s hs traffic", transcript, len(empty))
        self._aead = suite.aead(_expand(suite, traffic, "key", b"", suite.key_length))
        self._iv = int.from_bytes(_expand(suite, traffic, "iv", b"", _IV_LENGTH), "big")
        self._sequence = 0

    def open(self, header: bytes, fragment: bytes) -> tuple[int, bytes]:
        """Return content type and content of the next record; raises InputError ``tls.malformed``."""
        nonce = (self._iv ^ self._sequence).to_bytes(_IV_LENGTH, "big")
        self._sequence += 1
        try:
            inner = self._aead.decrypt(nonce, fragment, header).rstrip(b"\x00")
        except (InvalidTag, ValueError):
            refuse("a record that the keys do not open")
        if not inner:
            refuse("a record without a content type")
        return inner[-1], inner[:-1]


def _shared(answer: bytes, key: X25519PrivateKey) -> bytes:
    body = Reader(answer[4:])
    body.take(2 + 32)
    body.vector(1)
    body.take(2 + 1)
    share = Reader(dict(read_extensions(body)).get(KEY_SHARE, b""))
    group, public = share.take(2), share.vector(2)
    if group != _X25519:
        refuse("a key share of another group than was offered")
    try:
        return key.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:  # another length, or a point of small order (RFC 7748 6.1)
        refuse("a key share that is no point of its group")


def _expand(suite: _Suite, secret: bytes, label: str, context: bytes, length: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446 7.1), for what fits into one block of the hash."""
    name = vector(b"tls13 " + label.encode("ascii"), 1)
    return hmac.digest(secret, length.to_bytes(2, "big") + name + vector(context, 1) + b"\x01", suite.hash)[:length]
