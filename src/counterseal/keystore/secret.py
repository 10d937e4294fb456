"""A secret that is no CA key: 32 random octets beside the keys, which all replicas of a service share."""

from __future__ import annotations

from hashlib import sha256
from hmac import digest
from typing import TYPE_CHECKING

from counterseal.errors import FileError, KeyAccessError
from counterseal.files import make_directory, read_file, write_file
from counterseal.fileset import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET_BYTES = 32
FILE_BYTES = 2 * SECRET_BYTES + 1
"""Of the file: the secret in hex, and the end of the line."""


def shared_secret(path: Path, random_bytes: Callable[[int], bytes]) -> bytes:
    """Return the secret kept at ``path`` (0600), made when there is none; of two that make it at once one wins.

    Raises KeyAccessError ``secret.malformed``, FileError.
    """
    if not path.exists():
        make_directory(path.parent, mode=0o700)
        try:
            write_file(path, random_bytes(SECRET_BYTES).hex().encode() + b"\n", mode=SECRET, overwrite=False)
        except FileError as error:
            if error.code != "file.exists":
                raise
    try:
        kept = bytes.fromhex(read_file(path).decode().strip())
    except ValueError:
        kept = b""
    if len(kept) != SECRET_BYTES:
        raise KeyAccessError(
            "secret.malformed",
            f"not a secret of {SECRET_BYTES} octets in hex: {path}",
            hint="bring it back from a backup; a new one would make every external account key void",
        )
    return kept


def derive(secret: bytes, use: str) -> bytes:
    """Return the key for one use of the secret, from which neither it nor another one follows."""
    return digest(secret, use.encode(), sha256)
