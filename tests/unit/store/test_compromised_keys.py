"""Which keys nobody gets a certificate for again, and since when that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from chains import root
from counterseal.pki.keys import key_hash
from counterseal.store.compromised_keys import find_compromised_key
from counterseal.store.records import CertificateRecord, Status
from store_fixtures import NOW, certificate, issue, new_store

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.store.store import Store

pytestmark = pytest.mark.usefixtures("each_database")

CERTIFICATE = root().certificate.public_bytes(Encoding.DER)
KEY_HASH = key_hash(root().certificate.public_key())


def keyed(serial_number: int) -> CertificateRecord:
    """Return a certificate for that key."""
    return certificate(serial_number, certificate=CERTIFICATE)


def revoke(store: Store, serial_number: int, reason: str) -> None:
    """Revoke it."""
    store.revoke(serial_number, at=NOW, reason=reason, crl_entry=b"entry")


@pytest.mark.parametrize("reason", ["key_compromise", "ca_compromise"])
def test_the_first_certificate_that_said_so_is_told(tmp_path: Path, reason: str) -> None:
    """Several may have the key; an unreadable one is revoked like any other."""
    with new_store(tmp_path) as store:
        issue(store, keyed(1), keyed(2), certificate(3), keyed(4))
        revoke(store, 2, "superseded")
        revoke(store, 3, reason)
        assert find_compromised_key(store, KEY_HASH) is None
        revoke(store, 4, reason)
        revoke(store, 1, reason)
        assert find_compromised_key(store, KEY_HASH) == (4, "clients")
        assert store.rows("select count(*) from compromised_key") == [(1,)]


def test_it_is_undone_with_the_revocation(tmp_path: Path) -> None:
    """Both are one transaction."""
    with new_store(tmp_path) as store:
        issue(store, keyed(1))
        store.begin()
        revoke(store, 1, "key_compromise")
        store.abandon()
        assert find_compromised_key(store, KEY_HASH) is None


def test_a_hold_says_it_when_it_becomes_final(tmp_path: Path) -> None:
    """Not before: it can be lifted."""
    with new_store(tmp_path) as store:
        issue(store, keyed(1))
        revoke(store, 1, "certificate_hold")
        assert find_compromised_key(store, KEY_HASH) is None
        revoke(store, 1, "key_compromise")
        assert find_compromised_key(store, KEY_HASH) == (1, "clients")


@pytest.mark.parametrize(("reason", "found"), [("key_compromise", (9, "clients")), ("superseded", None)])
def test_what_another_program_revoked_says_it_too(tmp_path: Path, reason: str, found: tuple[int, str] | None) -> None:
    """Where the certificate came with its entry; of a number alone no key is known."""
    revoked = keyed(9)._replace(status=Status.REVOKED, revoked_at=NOW, revocation_reason=reason)
    with new_store(tmp_path) as store:
        store.adopt([(revoked, b"entry"), (revoked._replace(serial_number=8, certificate=None), b"entry")])
        assert find_compromised_key(store, KEY_HASH) == found
