"""Whom the programs of this system trust, and who lies in a directory of CAs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.files import read_file
from counterseal.pki.reading import certificates_in, damage_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography import x509


def system_anchors() -> bytes:
    """Return the CAs that this system trusts, PEM."""
    import ssl  # noqa: PLC0415 - the CAs of a home, or of a file, need none of it

    context = ssl.create_default_context()
    return "".join(map(ssl.DER_cert_to_PEM_cert, context.get_ca_certs(binary_form=True))).encode()


def certificates_at(path: Path, say: Callable[[str], None]) -> tuple[x509.Certificate, ...]:
    """Return the certificates in a file, or in the files of a directory as ``certificates_below`` does.

    ``say`` is told of every PEM block that should be one and cannot be read: where it is and what is wrong with it.
    """
    for file in _files_below(path) if path.is_dir() else (path,):
        for damage in damage_in(read_file(file), source=str(file)):
            say(f"warning: passed over, {damage}")
    return certificates_below(path) if path.is_dir() else certificates_in(read_file(path), source=str(path))


def certificates_below(directory: Path) -> tuple[x509.Certificate, ...]:
    """Return the certificates in the files of a directory, each once, in the order of the files' names.

    What holds none is passed over, such as a key or a list. Raises InputError ``certificate.none``, FileError.
    """
    found: dict[x509.Certificate, None] = {}
    for path in _files_below(directory):
        found |= dict.fromkeys(_in_file(path))
    if not found:
        raise InputError("certificate.none", f"no certificate in the files of {directory}")
    return tuple(found)


def _files_below(directory: Path) -> list[Path]:
    return [path for path in sorted(directory.iterdir()) if path.is_file()]


def _in_file(path: Path) -> tuple[x509.Certificate, ...]:
    try:
        return certificates_in(read_file(path), source=str(path))
    except InputError as error:
        if error.code == "certificate.none":
            return ()
        raise
