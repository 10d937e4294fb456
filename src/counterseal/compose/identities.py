"""Who comes along to a handshake: a certificate and its key out of files, or one of this CA, and what this CA trusts.

Files are read here, and the CA of a home is asked where there is one; a handshake with a foreign server needs none.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509

from counterseal.authority.find import find
from counterseal.authority.foreign import make_foreign_probe
from counterseal.authority.parts import ROOT
from counterseal.authority.site_material import is_locked_out
from counterseal.bundles.pem import file_stem
from counterseal.bundles.pkcs12_reader import load_pkcs12
from counterseal.errors import InputError, KeyAccessError, NotFoundError
from counterseal.files import read_file
from counterseal.handshake.explain.matching import OwnCertificate
from counterseal.handshake.observation import ProbeIdentity
from counterseal.keystore.pkcs8 import is_encrypted, open_key
from counterseal.moments import epoch
from counterseal.pki.names import dns_name, ip_address
from counterseal.pki.path.candidate import Candidate
from counterseal.pki.pem import encode_certificates, encode_private_key
from counterseal.pki.profile import SERVER, Purpose
from counterseal.pki.reading import certificates_in
from counterseal.store.records import Query, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from counterseal.authority.parts import Authority

MOST_OWN = 200
"""So many of the CA's newest client certificates are compared with what a server asks for."""


def identity_from_files(certificate: Path, key: Path | None, passphrase: Callable[[], bytes | None]) -> ProbeIdentity:
    """Return the identity in a certificate file (chain behind it) and a key file, or one file with both.

    Raises FileError, InputError ``certificate.none``, KeyAccessError.
    """
    content = read_file(certificate)
    chain = certificates_in(content, source=str(certificate))
    if key is None and b"PRIVATE KEY-----" not in content:
        hint = f"name its file: --key {_key_nearby(certificate) or 'FILE'}"
        raise KeyAccessError("key.malformed", f"no private key beside the certificate: {certificate}", hint=hint)
    return _identity(certificate.name, chain, _open(key or certificate, passphrase))


def _key_nearby(certificate: Path) -> Path | None:
    """Return the key that our commands write next to a certificate, where there is one."""
    for suffix in (".cert.pem", ".fullchain.pem"):
        if certificate.name.endswith(suffix):
            key = certificate.with_name(certificate.name.removesuffix(suffix) + ".key.pem")
            return key if key.exists() else None
    return None


def identity_from_pkcs12(path: Path, password: bytes | None) -> ProbeIdentity:
    """Return the identity in a PKCS#12 file; raises FileError, KeyAccessError ``pkcs12.password``, InputError."""
    content = read_file(path)
    if b"-----BEGIN " in content:
        hint = f"come with it: --cert {path}, and --key FILE where its key is elsewhere"
        raise InputError("pkcs12.pem", f"no PKCS#12 but PEM: {path}", hint=hint)
    try:
        held = load_pkcs12(content, password)
    except KeyAccessError as error:
        shown_once = "it was shown once, when the file was made; for a new one: counterseal export NAME"
        hint = shown_once if password else "give its password: --password-file FILE"
        raise KeyAccessError("pkcs12.password", f"{error.message}: {path}", hint=hint) from error
    if held.cert is None or held.key is None:
        raise InputError("pkcs12.incomplete", f"the PKCS#12 holds no certificate with its key: {path}")
    chain = (held.cert.certificate, *(extra.certificate for extra in held.additional_certs))
    return _identity(path.name, chain, held.key)


def identity_of(
    authority: Authority, selector: str, key: Path | None, passphrase: Callable[[], bytes | None]
) -> ProbeIdentity:
    """Return a certificate of this CA, with the chain it sends and the key from ``key`` or ``NAME.key.pem``."""
    record = find(authority, selector, statuses=(Status.VALID, Status.REVOKED, Status.HELD))
    if record.certificate is None:
        raise NotFoundError("certificate.not_kept", f"only the serial number is known: {record.name}")
    path = key or Path(f"{file_stem(record.name)}.key.pem")
    if not path.exists():
        raise NotFoundError(
            "key.missing",
            f"the private key of {record.name} is not here: {path}",
            hint="name its file: --key FILE",
        )
    chain = (x509.load_der_x509_certificate(record.certificate), *authority.issuer(record.issuer).path)
    return _identity(record.name, chain, _open(path, passphrase))


def own_certificates(authority: Authority) -> tuple[OwnCertificate, ...]:
    """Return the CA's valid client certificates with their chains, at most ``MOST_OWN`` of them."""
    query = Query(
        status=Status.VALID, profile="client", include_expired=False, at=epoch(authority.clock()), limit=MOST_OWN
    )
    paths = {record.name: authority.path(record) for record in authority.store.cas()}
    return tuple(
        OwnCertificate(
            record.name, _without_root((x509.load_der_x509_certificate(record.certificate), *paths[record.issuer]))
        )
        for record in authority.store.search(query).records
        if record.certificate is not None
    )


def own_of(identity: ProbeIdentity) -> OwnCertificate:
    """Return the certificate of an identity as one of the user's own."""
    return OwnCertificate(identity.name, tuple(x509.load_pem_x509_certificates(identity.certificate_chain)))


def client_anchors_of(authority: Authority) -> tuple[x509.Certificate, ...]:
    """Return the root of this CA, which a server of ours trusts for its clients."""
    return (authority.issuer(ROOT).trust_anchor,)


def _open(path: Path, passphrase: Callable[[], bytes | None]) -> PrivateKeyTypes:
    content = read_file(path)
    return open_key(content, passphrase() if is_encrypted(content) else None, source=str(path))


def _identity(name: str, chain: Iterable[x509.Certificate], key: PrivateKeyTypes) -> ProbeIdentity:
    sent = _without_root(tuple(chain))
    if key.public_key() != Candidate(sent[0]).public_key:
        raise KeyAccessError(
            "key.mismatch",
            f"the private key does not belong to the first certificate: {name}",
            hint="the certificate comes first in its file, its issuers behind it",
        )
    return ProbeIdentity(name, encode_certificates(*sent), encode_private_key(key))


def _without_root(chain: tuple[x509.Certificate, ...]) -> tuple[x509.Certificate, ...]:
    """Leave out a self-signed certificate at the end: a root is not sent (RFC 8446 4.4.2)."""
    return chain[:-1] if len(chain) > 1 and chain[-1].subject == chain[-1].issuer else chain


def client_cas_of(authority: Authority) -> tuple[x509.Certificate, ...]:
    """Return what a site of ours has in ssl_client_certificate: the CAs that issue to clients, and their root.

    Those that are locked out are left out, but for a root.
    """
    lines = [(record, *authority.above(record)) for record in authority.cas_for(Purpose.CLIENT)]
    given = [one for line in lines for one in line if one.parent is None or not is_locked_out(authority, one)]
    return tuple(x509.load_der_x509_certificate(content) for content in dict.fromkeys(one.certificate for one in given))


def server_at_hand(authority: Authority, passphrase: Callable[[], bytes | None]) -> ProbeIdentity | None:
    """Return the newest server certificate of this CA whose key lies in the directory that we stand in."""
    query = Query(
        status=Status.VALID, profile="server", include_expired=False, at=epoch(authority.clock()), limit=MOST_OWN
    )
    records = authority.store.search(query).records
    found = [one for one in records if one.certificate and Path(f"{file_stem(one.name)}.key.pem").is_file()]
    if not found:
        return None
    newest = max(found, key=lambda record: record.not_before)
    return identity_of(authority, f"{newest.serial_number:034X}", None, passphrase)


def temporary_server(now: datetime, serial_number: Callable[[], int], host: str) -> ProbeIdentity:
    """Return a certificate for this host and localhost, of a CA that nobody trusts; it lives for an hour."""
    names = [x509.DNSName("localhost"), ip_address("127.0.0.1"), ip_address("::1")]
    with suppress(InputError):
        names.append(dns_name(host))
    made = make_foreign_probe(now, serial_number, profile=SERVER, names=tuple(names), common_name="counterseal listen")
    return replace(made, name="counterseal listen (made for an hour, trusted by no client)")
