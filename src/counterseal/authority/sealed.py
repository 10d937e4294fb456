"""A stream sealed with a passphrase: scrypt for the key, AES-256-GCM a chunk, in order and to the end or not at all.

Chunk ``i`` is sealed under a nonce that holds ``i`` and whether it is the last one, so that a cut, a swap or a
repetition does not open (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizar). RFC 7914, NIST SP 800-38D.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from counterseal.errors import KeyAccessError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAGIC = b"counterseal backup 1\n"
CHUNK = 1 << 20
_SALT, _PREFIX, _TAG = 16, 7, 16


def seal(source: BinaryIO, target: BinaryIO, passphrase: bytes, *, random_bytes: Callable[[int], bytes]) -> None:
    """Read ``source`` to its end and write it sealed."""
    salt, prefix = random_bytes(_SALT), random_bytes(_PREFIX)
    cipher = AESGCM(_key(passphrase, salt))
    target.write(MAGIC + salt + prefix)
    target.writelines(cipher.encrypt(nonce, chunk, MAGIC) for nonce, chunk in _numbered(source, CHUNK, prefix))


def sealed_size(size: int) -> int:
    """Return how many octets ``seal`` makes of ``size``."""
    return len(MAGIC) + _SALT + _PREFIX + size + max(-(-size // CHUNK), 1) * _TAG


def unseal(source: BinaryIO, target: BinaryIO, passphrase: bytes) -> None:
    """Write what ``seal`` read; raises KeyAccessError ``backup.format``, ``.passphrase``, ``.damaged``."""
    if source.read(len(MAGIC)) != MAGIC:
        raise KeyAccessError(
            "backup.format", "not a backup of counterseal", hint="it begins with: counterseal backup 1"
        )
    salt, prefix = source.read(_SALT), source.read(_PREFIX)
    cipher = AESGCM(_key(passphrase, salt))
    for number, (nonce, chunk) in enumerate(_numbered(source, CHUNK + _TAG, prefix)):
        try:
            target.write(cipher.decrypt(nonce, chunk, MAGIC))
        except InvalidTag as error:
            if number == 0:
                raise KeyAccessError(
                    "backup.passphrase",
                    "the passphrase does not open the backup",
                    hint="if it is the right one, the backup is damaged or cut in its first MiB",
                ) from error
            raise KeyAccessError(
                "backup.damaged", f"the backup is damaged or cut after {number} MiB", hint="use another backup"
            ) from error


def _key(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase)


def _numbered(source: BinaryIO, size: int, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield every chunk with its nonce; the last one is known by reading one ahead."""
    number, chunk = 0, source.read(size)
    while True:
        ahead = source.read(size)
        yield prefix + number.to_bytes(4, "big") + (b"\x00" if ahead else b"\x01"), chunk
        if not ahead:
            return
        number, chunk = number + 1, ahead
