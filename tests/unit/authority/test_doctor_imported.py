"""The doctor's line about certificates that other programs issued: valid ones that are good for every purpose."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from counterseal.authority.create import RootPlan, create
from counterseal.authority.doctor import imported
from counterseal.authority.doctor.check import State
from counterseal.authority.doctor.imported import check_imported
from counterseal.authority.parts import Authority
from counterseal.authority.revoke import revoke
from counterseal.keystore.file import FileKeyStore
from counterseal.moments import moment
from counterseal.pki.crl import RevocationReason
from counterseal.pki.subject import parse_subject
from counterseal.store.records import IMPORTED
from counterseal.store.sqlite import open_store
from store_fixtures import DAY, NOW, certificate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.authority.doctor.check import Check


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    """Return a CA that was taken over, and issued nothing yet."""
    with open_store(tmp_path / "store.db", create=True) as store:
        authority = Authority(store, FileKeyStore(tmp_path, lambda: None), lambda: moment(NOW), os.urandom, "test")
        create(authority, RootPlan(parse_subject("CN=Root"), single_tier=True, encrypt=False))
        yield authority


def made(*usages: x509.ObjectIdentifier, readable: bool = True) -> bytes:
    """Return a certificate for these purposes, or for every one; or with names that nobody can read."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, moment(NOW), moment(NOW) + timedelta(days=9))
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if not readable:
        names = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"\x05\x00")
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def adopt(authority: Authority, number: int, content: bytes | None, *, days: float = 9) -> None:
    """Take over a certificate of this number, which ends so many days from now."""
    row = certificate(number, issuer="root", name=f"n{number}", profile=IMPORTED, certificate=content)
    authority.store.adopt([(row._replace(not_after=NOW + int(days * DAY)), None)])


def only(authority: Authority, *, deep: bool = False) -> Check:
    """Return the one line."""
    (line,) = check_imported(authority, deep=deep)
    return line


def test_where_nothing_was_taken_over_there_is_no_line(authority: Authority) -> None:
    """Whatever was issued here."""
    authority.store.adopt([(certificate(1, issuer="root", certificate=made()), None)])
    assert list(check_imported(authority, deep=False)) == []


def test_who_is_valid_and_good_for_all_is_named(authority: Authority) -> None:
    """Three of them, and how many more; not who has a purpose, whose file is not here, or who has ended."""
    adopt(authority, 1, made(ExtendedKeyUsageOID.CLIENT_AUTH))
    adopt(authority, 2, None)
    adopt(authority, 3, made(), days=1)
    late = replace(authority, clock=lambda: moment(NOW + 2 * DAY))
    assert only(late).state is State.OK
    assert only(late).message == "2 valid certificates of another program, none good for every purpose"
    for number in range(4, 9):
        adopt(authority, number, made())
    line = only(late)
    assert (line.state, line.message[:7], line.message[-23:]) == (State.ATTENTION, "5 of 7 ", ": n4, n5, n6 and 2 more")
    revoke(authority, "n8", RevocationReason.SUPERSEDED)
    assert only(late).message[:7] == "4 of 6 "
    authority.store.mark_ca_revoked("root", at=NOW, reason="key_compromise")
    assert only(late).state is State.OK, "nobody gets in with them"


def test_what_cannot_be_read_is_not_said_to_be_good_for_all(authority: Authority) -> None:
    """Nothing is known of its purposes."""
    adopt(authority, 1, made(readable=False))
    assert only(authority).message == "1 valid certificate of another program, none good for every purpose"


def test_of_very_many_those_that_end_first_are_looked_at(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """And all when asked for."""
    monkeypatch.setattr(imported, "PAGE_LIMIT", 2)
    adopt(authority, 1, made(), days=9)
    for number in (2, 3):
        adopt(authority, number, made(ExtendedKeyUsageOID.SERVER_AUTH), days=8)
    assert only(authority).message.endswith(", none good for every purpose among the 2 that end first; all: --deep")
    monkeypatch.setattr(imported, "PAGE_LIMIT", 3)
    assert only(authority).message.startswith("1 of 3 valid"), "all were looked at"
    assert "--deep" not in only(authority).message
    assert only(authority, deep=True).message.startswith("1 of 3 valid certificates of another program without ")
