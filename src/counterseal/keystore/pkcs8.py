"""Private keys as PKCS#8 PEM: encrypted for ourselves, plain for nginx, and read from whatever others wrote.

Encryption is PBES2 with AES-256-CBC and scrypt (RFC 8018, RFC 7914) at N = 2^14, r = 8: 16 MiB and some 50 ms for every
guess, and the most that OpenSSL opens without being told to (it caps scrypt at 32 MiB), so that ``openssl pkey`` reads
the file should Counterseal ever be gone. The cryptography library alone would write PBKDF2 with 2,048 rounds.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)

from counterseal.errors import KeyAccessError, encoding_hint
from counterseal.pki import der
from counterseal.pki.pem import encode_private_key
from counterseal.pki.pem_writer import pem_block

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**14, 8, 1
_PBES2, _SCRYPT, _AES_256_CBC = "1.2.840.113549.1.5.13", "1.3.6.1.4.1.11591.4.11", "2.16.840.1.101.3.4.1.42"
_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_KEY_BYTES, _SALT_BYTES, _BLOCK_BITS = 32, 16, 128


def encode_key(private_key: CertificateIssuerPrivateKeyTypes, passphrase: bytes | None) -> bytes:
    """Return the key as PEM, encrypted where there is a passphrase."""
    return encode_private_key(private_key) if passphrase is None else encrypt_key(private_key, passphrase)


def encrypt_key(private_key: CertificateIssuerPrivateKeyTypes, passphrase: bytes) -> bytes:
    """Return the key as ``ENCRYPTED PRIVATE KEY`` PEM."""
    salt, vector = os.urandom(_SALT_BYTES), os.urandom(_BLOCK_BITS // 8)
    secret = Scrypt(salt=salt, length=_KEY_BYTES, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P).derive(passphrase)
    padder = padding.PKCS7(_BLOCK_BITS).padder()
    plain = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(vector)).encryptor()
    sealed = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    numbers = (der.integer(number) for number in (SCRYPT_N, SCRYPT_R, SCRYPT_P, _KEY_BYTES))
    derivation = der.sequence(der.object_identifier(_SCRYPT), der.sequence(der.octet_string(salt), *numbers))
    cipher = der.sequence(der.object_identifier(_AES_256_CBC), der.octet_string(vector))
    algorithm = der.sequence(der.object_identifier(_PBES2), der.sequence(derivation, cipher))
    return pem_block("ENCRYPTED PRIVATE KEY", der.sequence(algorithm, der.octet_string(sealed)))


def is_encrypted(content: bytes) -> bool:
    """Whether a key in PEM or DER needs a passphrase: PKCS#8, or the traditional form with a DEK-Info line."""
    if b"-----BEGIN" in content:
        return b"BEGIN ENCRYPTED PRIVATE KEY" in content or b"Proc-Type: 4,ENCRYPTED" in content
    from counterseal.pki.recognise import recognise  # noqa: PLC0415 - ours are PEM
    from counterseal.pki.shape import Kind  # noqa: PLC0415 - same

    return any(piece.kind is Kind.ENCRYPTED_PRIVATE_KEY for piece in recognise(content))


def open_key(content: bytes, passphrase: bytes | None, *, source: str) -> CertificateIssuerPrivateKeyTypes:
    """Return the private key in PEM or DER ``content``; ``source`` names it in errors.

    Raises KeyAccessError: ``key.passphrase_missing``, ``key.passphrase_wrong``, ``key.malformed``.
    """
    if is_encrypted(content) and not passphrase:
        raise KeyAccessError(
            "key.passphrase_missing",
            f"the key is encrypted and no passphrase was given: {source}",
            hint="pass --passphrase-file FILE, or set COUNTERSEAL_PASSPHRASE_FILE",
        )
    secret = passphrase if is_encrypted(content) else None
    try:
        load = load_pem_private_key if b"-----BEGIN" in content else load_der_private_key
        return cast("CertificateIssuerPrivateKeyTypes", load(content, secret))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if secret is not None:
            raise KeyAccessError(
                "key.passphrase_wrong",
                f"the passphrase does not open the key: {source}",
                hint="it is taken from --passphrase-file, else COUNTERSEAL_PASSPHRASE_FILE, else a prompt",
            ) from error
        held = _LABEL.search(content)
        hint = f"the file holds: {held[1].decode()}" if held else _encoding(content)
        raise KeyAccessError("key.malformed", f"not a private key: {source}", hint=hint) from error


def _encoding(content: bytes) -> str | None:
    hint = encoding_hint(content)
    return hint and f"it is UTF-16 text: {hint}"
