"""Which change of status is possible, and what the lists say after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.errors import NotFoundError, StoreError
from counterseal.store.records import CARecord, Revocation, Status
from store_fixtures import DAY, NOW, certificate, issue, new_store, reservation

if TYPE_CHECKING:
    from pathlib import Path

    from counterseal.store.store import Store

pytestmark = pytest.mark.usefixtures("each_database")


def revoke(store: Store, serial_number: int, reason: str = "key_compromise") -> None:
    """Revoke a day after it was issued, with an entry that tells which it is."""
    store.revoke(serial_number, at=NOW + DAY, reason=reason, crl_entry=b"entry %d" % serial_number)


def test_a_revoked_certificate_says_when_and_why(tmp_path: Path) -> None:
    """The changed record is returned, and is what a look-up finds."""
    with new_store(tmp_path) as store:
        issue(store, certificate())
        changed = store.revoke(certificate().serial_number, at=NOW + 5, reason="superseded", crl_entry=b"entry")
        assert (changed.status, changed.revoked_at, changed.revocation_reason) == (
            Status.REVOKED,
            NOW + 5,
            "superseded",
        )
        assert store.certificate(changed.serial_number) == changed


def test_a_hold_can_be_lifted(tmp_path: Path) -> None:
    """Afterwards the certificate is as before and in no list."""
    with new_store(tmp_path) as store:
        issue(store, certificate(1))
        revoke(store, 1, "certificate_hold")
        assert store.certificate(1).status is Status.HELD
        assert list(store.revoked_serials("clients")) == ["01"]
        assert store.unrevoke(1) == certificate(1)
        assert list(store.revoked_serials("clients")) == []


def test_a_hold_can_become_final(tmp_path: Path) -> None:
    """The entry on the list is the new one, once."""
    with new_store(tmp_path) as store:
        issue(store, certificate(1))
        store.revoke(1, at=NOW, reason="certificate_hold", crl_entry=b"hold")
        store.revoke(1, at=NOW + 9, reason="key_compromise", crl_entry=b"final")
        assert list(store.revoked("clients", not_expired_at=NOW)) == [b"final"]
        assert list(store.revocations("clients", not_expired_at=NOW)) == [Revocation(1, NOW + 9, "key_compromise")]


@pytest.mark.parametrize(
    ("first", "then"),
    [("key_compromise", "superseded"), ("key_compromise", "certificate_hold"), ("certificate_hold",) * 2],
)
def test_what_is_revoked_stays_as_it_is(tmp_path: Path, first: str, then: str) -> None:
    """Neither a second revocation nor a hold changes time or reason."""
    with new_store(tmp_path) as store:
        issue(store, certificate(1))
        revoke(store, 1, first)
        before = store.certificate(1)
        with pytest.raises(StoreError) as caught:
            store.revoke(1, at=NOW + 9, reason=then, crl_entry=b"")
        assert caught.value.code == "store.not_revocable"
        assert store.certificate(1) == before


def test_a_reservation_cannot_be_revoked(tmp_path: Path) -> None:
    """There is no certificate yet."""
    with new_store(tmp_path) as store:
        store.reserve_many([reservation(certificate(1))])
        with pytest.raises(StoreError, match="that is reserved cannot be revoked"):
            revoke(store, 1)


@pytest.mark.parametrize("reason", [None, "key_compromise"])
def test_only_a_hold_is_lifted(tmp_path: Path, reason: str | None) -> None:
    """A valid certificate has nothing to lift, a revoked one is revoked for ever."""
    with new_store(tmp_path) as store:
        issue(store, certificate(1))
        if reason is not None:
            revoke(store, 1, reason)
        with pytest.raises(StoreError) as caught:
            store.unrevoke(1)
        assert caught.value.code == "store.not_held"


def test_an_unknown_serial_number_is_not_found(tmp_path: Path) -> None:
    """It is named in hex, as everywhere."""
    with new_store(tmp_path) as store, pytest.raises(NotFoundError, match="serial number: FF"):
        revoke(store, 255)


def test_lists_are_in_the_order_of_changes_and_per_issuer(tmp_path: Path) -> None:
    """Held ones are among them, other issuers' are not; what came together is in numeric order across octet lengths."""
    partners = CARecord("partners", "client", None, b"", "key-2", "active", NOW)
    with new_store(tmp_path, partners) as store:
        issue(store, *(certificate(number) for number in (1 << 130, 256, 3, 77)), certificate(5, issuer="partners"))
        for number in (256, 5, 3, 1 << 130):
            revoke(store, number, "certificate_hold" if number == 3 else "superseded")
        assert list(store.revoked_serials("clients")) == ["0100", "03", f"{1 << 130:034x}"]
        entries = [b"entry 256", b"entry 3", b"entry %d" % (1 << 130)]
        assert list(store.revoked("clients", not_expired_at=NOW)) == entries
        assert list(store.revoked("clients", not_expired_at=NOW, after=1, until=2)) == entries[1:2]


def test_expired_ones_leave_the_lists(tmp_path: Path) -> None:
    """At the very second of not_after it is still on, a second later no more."""
    with new_store(tmp_path) as store:
        issue(store, certificate(1, not_after=NOW + 10), certificate(2, not_after=NOW + 11))
        revoke(store, 1)
        revoke(store, 2)
        assert list(store.revoked_serials("clients", not_expired_at=NOW + 10)) == ["01", "02"]
        assert list(store.revoked_serials("clients", not_expired_at=NOW + 11)) == ["02"]


def test_known_serials_are_the_valid_ones(tmp_path: Path) -> None:
    """Neither revoked nor held, expired or only reserved; by expiry."""
    with new_store(tmp_path) as store:
        issue(store, *(certificate(number, not_after=NOW + 100 - number) for number in (1, 2, 3, 4, 99)))
        store.reserve_many([reservation(certificate(50))])
        revoke(store, 2)
        revoke(store, 3, "certificate_hold")
        assert list(store.known_serials("clients", NOW + 2)) == ["04", "01"]
