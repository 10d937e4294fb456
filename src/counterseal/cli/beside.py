"""What lies where the files of a certificate go already: its key, and the PKCS#12 that the next one replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.bundles.pem import file_stem
from counterseal.bundles.pkcs12 import Strength
from counterseal.bundles.pkcs12_reader import strength_before
from counterseal.cli.passphrase import read_password
from counterseal.files import read_file
from counterseal.keystore.pkcs8 import is_encrypted, open_key

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from counterseal.cli.common import Run


def pkcs12_in(place: Path, name: str) -> Path | None:
    """Return the PKCS#12 of this name in ``place``, None where there is none."""
    path = place / f"{file_stem(name)}.p12"
    return path if path.exists() else None


def strength_like(place: Path, name: str) -> Strength:
    """Return the strength of the PKCS#12 of this name in ``place``, which the next one replaces; modern without one."""
    before = pkcs12_in(place, name)
    return strength_before(read_file(before)) if before else Strength.MODERN


def open_key_file(run: Run, path: Path) -> CertificateIssuerPrivateKeyTypes:
    """Return the private key in a file; where it is encrypted, --passphrase-file opens it, or a prompt."""
    content = read_file(path)
    secret = read_password(run.passphrase_file, f"passphrase of {path}") if is_encrypted(content) else None
    return open_key(content, secret, source=str(path))
