"""A machine's first certificate: a key made here, a one-time token for it, and files only when all of it fits.

The key is on disk before the token is shown to anybody. So when the answer is lost on its way, or this machine with it,
the same command asks for the same key once more, and a service that has just issued for it can answer again.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.agent.est import EST
from counterseal.agent.place import Place, locked, replace
from counterseal.agent.request import first_request
from counterseal.agent.trust import Trust, path_to_root, trust
from counterseal.bundles.credential import Credential
from counterseal.bundles.pem import TRUST_ANCHOR_FILE, file_stem, pem_files
from counterseal.bundles.pkcs12 import Strength, encode_any_key
from counterseal.bundles.pkcs12_reader import strength_before
from counterseal.errors import FileError, RefusedError
from counterseal.files import make_directory, read_file, write_file
from counterseal.fileset import SECRET, FileSet, PlannedFile
from counterseal.keystore.pkcs8 import open_key
from counterseal.keystore.software import generate_key
from counterseal.pki.extensions import extension_in, read_extensions
from counterseal.pki.keys import key_spec_of
from counterseal.pki.names import show_name
from counterseal.pki.pem import encode_private_key
from counterseal.pki.shown import show_serial
from counterseal.pki.subject import common_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from counterseal.agent.address import ServerAddress
    from counterseal.pki.keys import KeySpec


@dataclass(frozen=True, slots=True)
class Held:
    """A credential that this machine holds now, and its files."""

    credential: Credential
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: without a name that which the token stands for; ``names`` beside it; the kind of key.

    ``password`` is that of the PKCS#12 to be made too; None for none.
    """

    name: str | None
    names: tuple[x509.GeneralName, ...]
    key: KeySpec
    password: str | None = field(default=None, repr=False)


def enroll(
    server: ServerAddress,
    wish: Wish,
    out: Path,
    *,
    secret: str,
    fingerprint: bytes | None,
    anchors: bytes | None,
    force: bool,
) -> Held:
    """Get the first certificate and write its files below ``out``.

    ``fingerprint`` and ``anchors`` are those of ``trust``. Raises RefusedError, RemoteError, FileError, InputError;
    then nothing is written but the key for which it will be asked again.
    """
    make_directory(out)
    if wish.name is not None and not force:
        _refuse_taken(Place(out, file_stem(wish.name)))
    trusted = trust(server, fingerprint=fingerprint, anchors=anchors)
    waiting = out / f".enroll-{sha256(secret.encode()).hexdigest()[:12]}.key.pem"
    key = _key_for(waiting, wish.key)
    csr = first_request(key, wish.name, wish.names)
    try:
        certificate = EST(server, trusted.context).simpleenroll(csr, secret=secret)
    except RefusedError:  # then nothing was issued for this key
        _remove(waiting)
        raise
    chain, anchor = path_to_root(server, certificate, trusted)
    credential = Credential(name_of(certificate, wish.name), certificate, chain, anchor, key)
    place = Place(out, file_stem(credential.name))
    with locked(place):
        if not force:
            _refuse_taken(place, hint="it was issued all the same: run the same command again with --force")
        paths = write(place, credential, wish.password)
    _remove(waiting)
    return Held(credential, paths)


def rehearse(
    server: ServerAddress, wish: Wish, out: Path, *, fingerprint: bytes | None, anchors: bytes | None, force: bool
) -> Trust:
    """Do what ``enroll`` does before it makes a key or shows the token, write nothing, and say who the service is.

    Raises what ``enroll`` would by then.
    """
    if wish.name is not None and not force:
        _refuse_taken(Place(out, file_stem(wish.name)))
    return trust(server, fingerprint=fingerprint, anchors=anchors)


def write(place: Place, credential: Credential, password: str | None) -> tuple[Path, ...]:
    """Put the credential in its place, with a PKCS#12 where there is a password for it; return the paths.

    It has the strength of the PKCS#12 that it replaces, modern where there is none.
    """
    before = place.path(f"{place.stem}.p12")
    strength = strength_before(read_file(before)) if before.exists() else Strength.MODERN
    packed = encode_any_key(credential, password, strength=strength) if password else None
    own = f"{file_stem(credential.name)}."
    files = [
        file
        if file.path == TRUST_ANCHOR_FILE
        else PlannedFile(f"{place.stem}.{file.path.removeprefix(own)}", file.content, file.mode)
        for file in pem_files(credential, pkcs12=packed)
    ]
    return replace(place, FileSet(tuple(files)))


def _key_for(path: Path, spec: KeySpec) -> CertificateIssuerPrivateKeyTypes:
    """Return the key of this kind that waits in ``path`` from a run before, else a new one, which then waits there."""
    if path.exists():
        waiting = open_key(read_file(path), None, source=str(path))
        if key_spec_of(waiting.public_key()) == spec:
            return waiting
    key = generate_key(spec)
    write_file(path, encode_private_key(key), mode=SECRET, overwrite=path.exists())
    return key


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _refuse_taken(
    place: Place, *, hint: str = "renew it: counterseal renew --server URL; or choose another --out, or pass --force"
) -> None:
    if place.is_taken():
        path = place.directory / f"{place.stem}.cert.pem"
        raise FileError("enroll.taken", f"there is a certificate of this name already: {path}", hint=hint)


def name_of(certificate: x509.Certificate, wished: str | None = None) -> str:
    """Return what to call a certificate: as wished, else its common name, its first other name, its serial number."""
    return wished or common_name(certificate.subject) or _first(names_of(certificate)) or _serial(certificate)


def _first(names: Sequence[str]) -> str | None:
    return names[0].partition(":")[2] if names else None


def _serial(certificate: x509.Certificate) -> str:
    return show_serial(certificate.serial_number)


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the subject alternative names as they are shown: ``DNS:x``."""
    names = extension_in(read_extensions(certificate)[0], x509.SubjectAlternativeName)
    return tuple(show_name(name) for name in names or ())
