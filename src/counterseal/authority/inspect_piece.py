"""One recognised piece of a file, taken apart: its facts, and the things that a PKCS#7 or PKCS#12 holds."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from counterseal.authority.inspected import PKCS12Facts, PrivateKeyFacts, Thing
from counterseal.bundles.pkcs12_reader import open_pkcs12, protection_findings, read_protection
from counterseal.errors import CountersealError, InputError, KeyAccessError
from counterseal.findings import Finding, Severity
from counterseal.keystore.pkcs8 import open_key
from counterseal.pki.describe.certificate import describe_certificate
from counterseal.pki.describe.crl import describe_crl
from counterseal.pki.describe.csr import describe_csr
from counterseal.pki.describe.key import describe_key, load_public_key
from counterseal.pki.encryption import key_scheme
from counterseal.pki.keys import weaknesses
from counterseal.pki.reading import load_certificate, load_csr
from counterseal.pki.shape import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from cryptography import x509

    from counterseal.pki.recognise import Piece

    Password = Callable[[str], bytes | None]
    Read = Callable[[Piece, str], Thing]


def things_of(piece: Piece, place: str, *, at: datetime, password: Password) -> Iterator[Thing]:
    """Yield the piece as a thing, then what it holds; ``password`` is asked with the place for what is encrypted."""
    if piece.kind is Kind.PKCS12:
        yield from _pkcs12(piece, place, at=at, password=password)
        return
    readers: dict[Kind, Read] = {
        Kind.CERTIFICATE: partial(_certificate, at=at),
        Kind.CSR: _csr,
        Kind.CRL: partial(_crl, at=at),
        Kind.PUBLIC_KEY: _public_key,
        Kind.PRIVATE_KEY: partial(_private_key, password=password),
        Kind.ENCRYPTED_PRIVATE_KEY: partial(_private_key, password=password),
    }
    yield _read(readers.get(piece.kind, _named_only), piece, place)
    for number, inner in enumerate(piece.inside, 1):
        yield _read(readers.get(inner.kind, _named_only), inner, f"{place} #{number}", part_of=place)


def _read(read: Read, piece: Piece, place: str, *, part_of: str | None = None) -> Thing:
    try:
        thing = read(piece, place)
    except CountersealError as error:
        thing = Thing(piece.kind, place, piece, findings=(Finding(error.code, Severity.HIGH, error.message),))
    severity = Severity.HIGH if piece.kind is Kind.UNKNOWN else Severity.MEDIUM
    problem = (Finding("file.form", severity, piece.problem),) if piece.problem else ()
    return replace(thing, part_of=part_of, findings=(*problem, *thing.findings))


def _certificate(piece: Piece, place: str, *, at: datetime) -> Thing:
    return _from_certificate(load_certificate(piece, source=place), place, at=at, piece=piece)


def _from_certificate(certificate: x509.Certificate, place: str, *, at: datetime, piece: Piece | None = None) -> Thing:
    facts = describe_certificate(certificate, at=at)
    return Thing(Kind.CERTIFICATE, place, piece, facts, certificate=certificate)


def _csr(piece: Piece, place: str) -> Thing:
    return Thing(piece.kind, place, piece, describe_csr(load_csr(piece, source=place)))


def _crl(piece: Piece, place: str, *, at: datetime) -> Thing:
    return Thing(piece.kind, place, piece, describe_crl(piece.content, at=at))


def _public_key(piece: Piece, place: str) -> Thing:
    key = load_public_key(piece.content)
    if key is None:
        raise InputError("key.malformed", f"the public key cannot be read: {place}")
    return Thing(piece.kind, place, piece, describe_key(key), weaknesses(key))


def _private_key(piece: Piece, place: str, *, password: Password) -> Thing:
    closed = piece.kind is Kind.ENCRYPTED_PRIVATE_KEY
    scheme = key_scheme(piece.content) if closed else None
    if scheme is not None and scheme.too_costly:
        raise InputError("key.costly", f"the key asks for more work than a key of good intent: {place}")
    secret = password(place) if closed else None
    if closed and not secret:
        return Thing(piece.kind, place, piece, PrivateKeyFacts(None, scheme))
    try:
        public_key = open_key(piece.content, secret, source=place).public_key()
    except KeyAccessError as error:
        finding = Finding(error.code, Severity.HIGH, error.message)
        return Thing(piece.kind, place, piece, PrivateKeyFacts(None, scheme), (finding,))
    return Thing(piece.kind, place, piece, PrivateKeyFacts(describe_key(public_key), scheme), weaknesses(public_key))


def _pkcs12(piece: Piece, place: str, *, at: datetime, password: Password) -> Iterator[Thing]:
    try:
        protection = read_protection(piece.content)
    except InputError as error:
        yield Thing(piece.kind, place, piece, findings=(Finding(error.code, Severity.HIGH, error.message),))
        return
    secret, failure = password(place), None
    try:
        contents = open_pkcs12(piece.content, secret.decode(errors="replace") if secret else None)
    except CountersealError as error:
        contents = None
        failure = error if secret else None
    failed = (Finding(failure.code, Severity.HIGH, failure.message),) if failure else ()
    findings = (*failed, *protection_findings(protection))
    yield Thing(piece.kind, place, piece, PKCS12Facts(protection.strength, protection, contents is not None), findings)
    if contents is None:
        return
    if contents.public_key is not None:
        facts = PrivateKeyFacts(describe_key(contents.public_key), protection.key)
        yield Thing(Kind.PRIVATE_KEY, f"{place} #0", None, facts, weaknesses(contents.public_key), part_of=place)
    for number, named in enumerate(contents.certificates, 1):
        thing = _from_certificate(named.certificate, f"{place} #{number}", at=at)
        yield replace(thing, part_of=place, friendly_name=named.friendly_name)


def _named_only(piece: Piece, place: str) -> Thing:
    return Thing(piece.kind, place, piece)
