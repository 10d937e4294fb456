"""The server certificate of a site: ours, kept with its key in the home, renewed when due; or the user's own files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.find import lookup
from counterseal.authority.issue import issue, rehearse
from counterseal.authority.order import order_server
from counterseal.authority.renewal import is_due
from counterseal.errors import InputError, KeyAccessError
from counterseal.files import make_directory, read_file, write_fileset
from counterseal.fileset import SECRET, FileSet, PlannedFile
from counterseal.keystore.software import generate_key
from counterseal.pki.keys import P256
from counterseal.pki.names import names_in
from counterseal.pki.pem import encode_certificates, encode_private_key
from counterseal.store.records import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from counterseal.authority.parts import Authority
    from counterseal.authority.served import ServedSite
    from counterseal.authority.signing import Issued


KEY, CHAIN = "server.key.pem", "server.fullchain.pem"


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """What nginx serves: the chain in PEM, end entity first without the trust anchor, and its key in PEM."""

    chain: bytes
    private_key: bytes = field(repr=False)
    certificate: x509.Certificate


def read_server_certificate(certificate: Path, key: Path) -> ServerCertificate:
    """Return the user's own certificate and key; raises FileError, InputError ``site.certificate``.

    The chain is what is sent and no secret: a key that stands in the same file, as many programs want it, stays there.
    """
    try:
        chain = x509.load_pem_x509_certificates(read_file(certificate))
    except ValueError as error:
        raise InputError("site.certificate", f"not a certificate in PEM: {certificate}") from error
    return ServerCertificate(encode_certificates(*chain), read_file(key), chain[0])


def ensure_server_certificate(
    authority: Authority, site: str, server_names: Sequence[str], directory: Path
) -> ServerCertificate:
    """Return the site's certificate, issuing a new one with a new key when there is none that still fits.

    It fits when it stands unrevoked in the store, is not due, and names exactly what the site is called.
    """
    kept = _fitting(authority, server_names, directory)
    if kept is not None:
        return kept
    return keep(directory, "server", _make(authority, site, server_names, issue))


def rehearse_server_certificate(
    authority: Authority, site: str, server_names: Sequence[str], directory: Path
) -> ServerCertificate:
    """Return what ``ensure_server_certificate`` would; a new one is neither signed nor kept."""
    return _fitting(authority, server_names, directory) or _make(authority, site, server_names, rehearse)


def needs_certificate(authority: Authority, server_names: Sequence[str], directory: Path) -> bool:
    """Whether there is none, or none that still fits: see ``ensure_server_certificate``."""
    return _fitting(authority, server_names, directory) is None


def keep(directory: Path, kind: str, made: ServerCertificate) -> ServerCertificate:
    """Write a new certificate of one kind with its chain and its key, and return it."""
    make_directory(directory, mode=0o700)
    key, chain = file_names(kind)
    write_fileset(directory, FileSet((PlannedFile(key, made.private_key, SECRET), PlannedFile(chain, made.chain))))
    return made


def read_kept(directory: Path, kind: str) -> ServerCertificate | None:
    """Return the certificate of one kind that was kept; None where it or its key is missing or damaged, or of another.

    No revocation waits for somebody who mends it. Raises KeyAccessError where the key is encrypted.
    """
    key_file, chain = (directory / name for name in file_names(kind))
    if not chain.is_file() or not key_file.is_file():
        return None
    from counterseal.keystore.pkcs8 import open_key  # noqa: PLC0415 - only to compare

    try:
        kept = read_server_certificate(chain, key_file)
        key = open_key(kept.private_key, None, source=str(key_file))
    except (InputError, KeyAccessError) as error:
        if error.code in {"site.certificate", "key.malformed"}:
            return None
        raise
    return kept if key.public_key() == kept.certificate.public_key() else None


def file_names(kind: str) -> tuple[str, str]:
    """Return how the key and the certificate of one kind are called."""
    return KEY.replace("server", kind), CHAIN.replace("server", kind)


def with_chain(issued: Issued, private_key: bytes) -> ServerCertificate:
    """Return a certificate that was just issued, or rehearsed, as it is sent."""
    return ServerCertificate(issued.chain_pem, private_key, issued.certificate)


def is_current(authority: Authority, certificate: x509.Certificate) -> bool:
    """Whether a certificate of ours stands unrevoked in the store, under a CA that does, and is not due to be replaced.

    Where its CA is revoked and nobody issues in its place, it stays: a site must serve something.
    """
    record = lookup(authority, certificate.serial_number)
    if record is None:
        return False
    ca = authority.store.ca(record.issuer)
    if authority.revoked_at_or_above(authority.succession(ca)[-1]) is not None:
        return True
    return (
        authority.revoked_at_or_above(ca) is None
        and record.status is Status.VALID
        and not is_due(authority, certificate)
    )


def sites_of_revoked(authority: Authority, served: Sequence[ServedSite]) -> tuple[str, ...]:
    """Return the sites that go on serving a certificate of ours whose CA is revoked, for lack of another."""
    revoked = {one.name for one in authority.store.cas() if authority.revoked_at_or_above(one) is not None}
    ours = (one.site.name for one in served if one.certificate is None)
    newest = ((name, authority.store.by_name(f"site:{name}", Status.VALID)[:1]) for name in ours)
    return tuple(name for name, found in newest if any(record.issuer in revoked for record in found))


def _make(
    authority: Authority, site: str, server_names: Sequence[str], issuing: Callable[..., Issued]
) -> ServerCertificate:
    names, key = _names(server_names), generate_key(P256)
    asked = order_server(authority.profile("server"), names[0], key.public_key(), more_names=names[1:])
    return with_chain(issuing(authority, asked, name=f"site:{site}"), encode_private_key(key))


def _fitting(authority: Authority, server_names: Sequence[str], directory: Path) -> ServerCertificate | None:
    kept = read_kept(directory, "server")
    return kept if kept is not None and _fits(authority, kept.certificate, _names(server_names)) else None


def _fits(authority: Authority, certificate: x509.Certificate, names: Sequence[str]) -> bool:
    if not is_current(authority, certificate):
        return False
    return {str(name.value) for name in names_in(certificate.extensions)} == set(names)


def _names(server_names: Sequence[str]) -> list[str]:
    """Return what a certificate must name: nginx's ``.example.com`` stands for the domain and everything below it."""
    names: list[str] = []
    for name in server_names:
        names += [name[1:], f"*.{name[1:]}"] if name.startswith(".") else [name]
    return list(dict.fromkeys(names))
