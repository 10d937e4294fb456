"""CA keys as files: one PEM each, mode 0600, in a directory of mode 0700, encrypted unless the user chose otherwise.

Whoever opens a CA has its key store, and many only look into the inventory; so keys and ciphers are loaded by the
method that touches a key: 20 ms that ``counterseal list`` saves.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from counterseal.errors import KeyAccessError, NotFoundError
from counterseal.files import make_directory, read_file, write_file
from counterseal.fileset import SECRET, PlannedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from counterseal.keystore.software import SoftwareSigner
    from counterseal.pki.keys import KeySpec
    from counterseal.pki.signer import Signer


@contextmanager
def alone_in(directory: Path) -> Iterator[None]:
    """Wait until nobody else is in such a block with this directory."""
    from fcntl import LOCK_EX, flock  # noqa: PLC0415 - only who makes a CA locks

    lock = os.open(directory, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file servers lock no directory
            flock(lock, LOCK_EX)
        yield
    finally:
        os.close(lock)


class FileKeyStore:
    """The directory of CA keys. ``passphrase`` is asked at most once, and only when an encrypted key is needed.

    ``guard`` may refuse, by raising, before a kept key is opened to sign with.
    """

    def __init__(
        self, directory: Path, passphrase: Callable[[], bytes | None], guard: Callable[[], None] = lambda: None
    ) -> None:
        self._directory = directory
        self._guard = guard
        self._ask = passphrase
        self._asked: bytes | None = None
        self._signers: dict[str, SoftwareSigner] = {}

    def __repr__(self) -> str:
        return f"FileKeyStore({str(self._directory)!r})"

    def create(self, key_id: str, spec: KeySpec, *, encrypt: bool) -> SoftwareSigner:
        """Make a key, keep it under ``key_id`` and return its signer; an existing key is never overwritten."""
        from counterseal.keystore.software import generate_key  # noqa: PLC0415 - see above

        return self.add(key_id, generate_key(spec), encrypt=encrypt)

    def rehearse(self, key_id: str, spec: KeySpec, *, encrypt: bool) -> tuple[SoftwareSigner, PlannedFile]:
        """Make a key and return its signer and the file that ``create`` would write; nothing is kept.

        It is encrypted under a passphrase that nobody learns, so that none has to be asked for.
        """
        from counterseal.keystore.software import SoftwareSigner, generate_key  # noqa: PLC0415 - see above

        private_key = generate_key(spec)
        return SoftwareSigner(private_key), self.rehearse_add(key_id, private_key, encrypt=encrypt)

    def rehearse_add(self, key_id: str, private_key: CertificateIssuerPrivateKeyTypes, *, encrypt: bool) -> PlannedFile:
        """Return the file that ``add`` would write, encrypted as by ``rehearse``; nothing is kept."""
        from counterseal.keystore.pkcs8 import encode_key  # noqa: PLC0415 - see above

        content = encode_key(private_key, os.urandom(16) if encrypt else None)
        return PlannedFile(self.path(key_id).name, content, SECRET)

    def add(self, key_id: str, private_key: CertificateIssuerPrivateKeyTypes, *, encrypt: bool) -> SoftwareSigner:
        """Keep a key made elsewhere under ``key_id`` and return its signer."""
        from counterseal.keystore.pkcs8 import encode_key  # noqa: PLC0415 - see above
        from counterseal.keystore.software import SoftwareSigner  # noqa: PLC0415 - see above

        content = encode_key(private_key, self._passphrase() if encrypt else None)
        make_directory(self._directory, mode=0o700)
        write_file(self.path(key_id), content, mode=SECRET, overwrite=False)
        self._signers[key_id] = SoftwareSigner(private_key)
        return self._signers[key_id]

    def signer(self, key_id: str) -> Signer:
        """Return the signer of a kept key; raises NotFoundError, KeyAccessError, and what the guard raises."""
        if key_id not in self._signers:
            from counterseal.keystore.pkcs8 import is_encrypted, open_key  # noqa: PLC0415 - see above
            from counterseal.keystore.software import SoftwareSigner  # noqa: PLC0415 - see above

            self._guard()
            content = self._read(key_id)
            passphrase = self._passphrase() if is_encrypted(content) else None
            self._signers[key_id] = SoftwareSigner(open_key(content, passphrase, source=str(self.path(key_id))))
        return self._signers[key_id]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep away whoever else makes a CA: he would take a key without a CA for left behind."""
        make_directory(self._directory, mode=0o700)
        with alone_in(self._directory):
            yield

    def discard(self, key_id: str) -> None:
        """Remove a key of which nothing was made: what it was for was refused, or failed."""
        self._signers.pop(key_id, None)
        self.path(key_id).unlink(missing_ok=True)

    def set_aside(self, key_id: str) -> None:
        """Rename a key that no CA of the store uses, as an interrupted command leaves one; nothing is lost."""
        if self.has(key_id):
            self.path(key_id).rename(self._directory / f"{key_id}.key.pem.unused")

    def has(self, key_id: str) -> bool:
        """Whether the key is here; the key of an offline root is not."""
        return self.path(key_id).is_file()

    def is_encrypted(self, key_id: str) -> bool:
        """Whether the kept key needs a passphrase."""
        from counterseal.keystore.pkcs8 import is_encrypted  # noqa: PLC0415 - see above

        return is_encrypted(self._read(key_id))

    def path(self, key_id: str) -> Path:
        """Return where the key of this id lies."""
        return self._directory / f"{key_id}.key.pem"

    def _read(self, key_id: str) -> bytes:
        path = self.path(key_id)
        if not path.is_file():
            raise NotFoundError(
                "key.missing",
                f"no private key for CA {key_id!r}: {path}",
                hint="bring the key back if it was taken offline; a CA that it signs there joins by import-ca --chain",
            )
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise KeyAccessError(
                "key.mode",
                f"a private key must be readable by its owner only: {path} has mode {mode:04o}",
                hint=f"chmod 600 {path}",
            )
        return read_file(path)

    def _passphrase(self) -> bytes:
        if self._asked is None:
            self._asked = self._ask()
        if not self._asked:
            raise KeyAccessError(
                "key.passphrase_missing",
                "the CA's keys are encrypted and no passphrase was given",
                hint="pass --passphrase-file FILE, or set COUNTERSEAL_PASSPHRASE_FILE",
            )
        return self._asked
