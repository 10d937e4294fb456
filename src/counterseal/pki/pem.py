"""Writing PEM (RFC 7468): certificates, private keys, and octets that were encoded here. ``pem_reader`` reads it."""

from __future__ import annotations

from binascii import b2a_base64
from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_LINE = 64


def encode_certificates(*certificates: x509.Certificate) -> bytes:
    """Return one ``CERTIFICATE`` block after the other, each with its final newline."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def encode_private_key(key: PrivateKeyTypes) -> bytes:
    """Return an unencrypted PKCS#8 ``PRIVATE KEY`` block (RFC 5958); only for a file of mode 0600."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def pem_block(label: str, content: bytes) -> bytes:
    """Return encoded octets as one block, as the library writes it of the object."""
    text = b2a_base64(content, newline=False)
    name = label.encode()
    return b"\n".join((b"-----BEGIN %s-----" % name, *_cut(len(text))(text), b"-----END %s-----\n" % name))


@lru_cache(maxsize=256)
def _cut(length: int) -> Callable[[bytes], tuple[bytes, ...]]:
    """Return what cuts a text of this length into lines, in half the time of slices; certificates have few lengths."""
    whole, rest = divmod(length, _LINE)
    return Struct(f"{_LINE}s" * whole + f"{rest}s" * bool(rest)).unpack
