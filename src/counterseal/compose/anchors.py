"""Whom the programs of this system trust, and who lies in a directory of CAs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.errors import InputError
from counterseal.files import read_file
from counterseal.pki.reading import certificates_in

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography import x509


def system_anchors() -> bytes:
    """Return the CAs that this system trusts, PEM."""
    import ssl  # noqa: PLC0415 - the CAs of a home, or of a file, need none of it

    context = ssl.create_default_context()
    return "".join(map(ssl.DER_cert_to_PEM_cert, context.get_ca_certs(binary_form=True))).encode()


def certificates_below(directory: Path) -> tuple[x509.Certificate, ...]:
    """Return the certificates in the files of a directory, each once, in the order of the files' names.

    What holds none is passed over, such as a key or a list. Raises InputError ``certificate.none``, FileError.
    """
    found: dict[x509.Certificate, None] = {}
    for path in sorted(directory.iterdir()):
        if path.is_file():
            found |= dict.fromkeys(_in_file(path))
    if not found:
        raise InputError("certificate.none", f"no certificate in the files of {directory}")
    return tuple(found)


def _in_file(path: Path) -> tuple[x509.Certificate, ...]:
    try:
        return certificates_in(read_file(path), source=str(path))
    except InputError as error:
        if error.code == "certificate.none":
            return ()
        raise
