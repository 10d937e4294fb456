"""The next certificate of a machine that has one: asked for over mutual TLS with it (RFC 7030 4.2.2).

The certificate at hand, and the root that came with it, are all that is needed. Where it cannot be shown in TLS,
because it is for servers alone or has expired, its key signs the request instead (``pki.possession``): whether an
expired one still counts is the service's to say. The new root of a CA that has changed its root is taken, because a
server below the old one brings it (RFC 7030 4.1.3); the caller says so.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from counterseal.agent.enroll import Held, name_of, write
from counterseal.agent.est import EST
from counterseal.agent.place import Place, locked, try_room
from counterseal.agent.request import next_request
from counterseal.agent.trust import Trust, path_to_root, trusting
from counterseal.authority.renewal import due_at
from counterseal.bundles.credential import Credential
from counterseal.bundles.pem import TRUST_ANCHOR_FILE
from counterseal.errors import InputError, KeyAccessError
from counterseal.files import read_file, write_file
from counterseal.fileset import SECRET
from counterseal.keystore.pkcs8 import is_encrypted, open_key
from counterseal.keystore.software import generate_key
from counterseal.moments import epoch
from counterseal.pki.extensions import extension_in, read_extensions
from counterseal.pki.keys import KeySpec, next_key_spec
from counterseal.pki.possession import prove_possession
from counterseal.pki.reading import certificates_in

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from counterseal.agent.address import ServerAddress

_THEN = "then"


@dataclass(frozen=True, slots=True)
class Manner:
    """How to renew: with which key (``keep_key``, or a new one of ``spec``, by default of the kind as before).

    ``only_if_due``: not before a third of its life is left. ``anchors`` (PEM) are trusted instead of the root
    that came with the certificate; ``password`` makes a new PKCS#12. ``announce`` leaves a mark that something is to be
    done after the switch, which outlives a crash until ``done``.
    """

    keep_key: bool = False
    spec: KeySpec | None = None
    only_if_due: bool = False
    anchors: bytes | None = None
    password: str | None = field(default=None, repr=False)
    announce: bool = False


@dataclass(frozen=True, slots=True)
class AtHand:
    """What this machine holds before it renews."""

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes
    anchors: tuple[x509.Certificate, ...]

    @property
    def due_at(self) -> datetime:
        """The moment from which it is to be renewed."""
        return due_at(self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc)


@dataclass(frozen=True, slots=True)
class Renewed:
    """What became of it: ``held`` is None where nothing was due; ``new_root`` when its trust anchor is another."""

    before: AtHand
    held: Held | None
    new_root: bool = False


def renew(server: ServerAddress, place: Place, manner: Manner, *, now: datetime) -> Renewed:
    """Renew the credential in ``place`` and switch its files; on any failure they are as they were.

    Raises RefusedError, RemoteError, FileError, KeyAccessError, InputError.
    """
    read_file(place.path(f"{place.stem}.cert.pem"))  # before a directory is made for what is not there
    with locked(place):
        before = _at_hand(place, manner.anchors)
        if manner.only_if_due and now < before.due_at:
            return Renewed(before, None)
        _check_pkcs12(place, manner)
        try_room(place)
        shown, trusted = _meet(server, place, before, now)
        key = before.key if manner.keep_key else generate_key(manner.spec or next_key_spec(before.key.public_key()))
        request = next_request(key, before.certificate)
        proof = None if shown else _proof(before, request, now)
        certificate = EST(server, trusted.context).simplereenroll(request, proof=proof)
        chain, anchor = path_to_root(server, certificate, trusted)
        credential = Credential(name_of(certificate), certificate, chain, anchor, key)
        if manner.announce:
            write_file(place.base / _THEN, b"", mode=SECRET)
        paths = write(place, credential, manner.password)
    return Renewed(before, Held(credential, paths), new_root=anchor not in before.anchors)


def rehearse(server: ServerAddress, place: Place, manner: Manner, *, now: datetime) -> tuple[AtHand, Trust | None]:
    """Do what ``renew`` does before it asks for a certificate, and write nothing.

    Return what is at hand, and who the service is, None where nothing is due. Raises what ``renew`` would by then.
    """
    before = _at_hand(place, manner.anchors)
    if manner.only_if_due and now < before.due_at:
        return before, None
    _check_pkcs12(place, manner)
    return before, _meet(server, place, before, now)[1]


def is_announced(place: Place) -> bool:
    """Whether what was to be done after a renewal has not been done yet."""
    return (place.base / _THEN).exists()


def done(place: Place) -> None:
    """Take the mark away."""
    (place.base / _THEN).unlink(missing_ok=True)


def _at_hand(place: Place, anchors: bytes | None) -> AtHand:
    def held(name: str) -> tuple[bytes, Path]:
        path = place.path(name)
        return read_file(path), path

    content, path = held(f"{place.stem}.cert.pem")
    certificate = certificates_in(content, source=str(path))[0]
    content, path = held(f"{place.stem}.key.pem")
    if is_encrypted(content):
        raise KeyAccessError(
            "key.encrypted", f"an encrypted key cannot be renewed by itself: {path}", hint="store it without passphrase"
        )
    key = open_key(content, None, source=str(path))
    if key.public_key() != certificate.public_key():
        raise KeyAccessError("key.mismatch", f"the key does not belong to the certificate beside it: {path}")
    if anchors is not None:
        return AtHand(certificate, key, certificates_in(anchors, source="the file of --ca"))
    content, path = held(TRUST_ANCHOR_FILE)
    return AtHand(certificate, key, certificates_in(content, source=str(path)))


def _meet(server: ServerAddress, place: Place, before: AtHand, now: datetime) -> tuple[bool, Trust]:
    """Say whether the certificate is shown in TLS, and whom that finds at the other end."""
    shown = _is_for_clients(before.certificate) and now < before.certificate.not_valid_after_utc
    context = _as_client(place, before) if shown else trusting(before.anchors)
    return shown, Trust(context, EST(server, context).cacerts())


def _as_client(place: Place, before: AtHand) -> ssl.SSLContext:
    """Return a context that trusts what is at hand and shows the certificate with its chain."""
    context = trusting(before.anchors)
    full = place.path(f"{place.stem}.fullchain.pem")
    chain = full if full.is_file() else place.path(f"{place.stem}.cert.pem")
    try:
        context.load_cert_chain(chain, place.path(f"{place.stem}.key.pem"))
    except ssl.SSLError as error:
        raise KeyAccessError(
            "key.mismatch", f"the key does not belong to the certificate beside it: {chain}"
        ) from error
    return context


def _is_for_clients(certificate: x509.Certificate) -> bool:
    """Whether TLS takes the certificate from a client (RFC 5280 4.2.1.12)."""
    usages = extension_in(read_extensions(certificate)[0], x509.ExtendedKeyUsage)
    return usages is None or ExtendedKeyUsageOID.CLIENT_AUTH in usages


def _proof(before: AtHand, request: x509.CertificateSigningRequest, now: datetime) -> str:
    content = request.public_bytes(Encoding.DER)
    return prove_possession(before.key, before.certificate, content, at=epoch(now))


def _check_pkcs12(place: Place, manner: Manner) -> None:
    path = place.path(f"{place.stem}.p12")
    if path.exists() and manner.password is None:
        raise InputError(
            "renew.pkcs12",
            f"the PKCS#12 would be that of the certificate before: {path}",
            hint="give a password for the next one: --password-file FILE or --ask-password; or remove it",
        )
