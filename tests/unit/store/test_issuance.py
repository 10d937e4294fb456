"""From a reserved serial number to a recorded certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.errors import AmbiguousError, InputError, NotFoundError, StoreError
from counterseal.store.records import CARecord, Reservation, Status
from store_fixtures import CLIENTS, DAY, NOW, SERIAL, certificate, issue, key_use, new_store, open_store, reservation

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_database")


def test_a_certificate_comes_back_as_it_was_recorded(tmp_path: Path) -> None:
    """Every field survives closing and opening."""
    with new_store(tmp_path) as store:
        issue(store, certificate())
    with open_store(tmp_path / "store.db") as store:
        assert store.certificate(SERIAL) == certificate()


def test_a_reservation_is_no_certificate(tmp_path: Path) -> None:
    """A reserved number has a status of its own, no times, and is not among the certificates of its name."""
    with new_store(tmp_path) as store:
        store.reserve(SERIAL, issuer="clients", name="client.device", profile="client", at=NOW, actor="root")
        found = store.certificate(SERIAL)
        assert (found.status, found.not_before, found.not_after, found.certificate) == (Status.RESERVED, 0, 0, None)
        assert store.by_name("client.device") == ()
        assert store.by_name("client.device", Status.RESERVED) == (found,)


@pytest.mark.parametrize("first", ["reserved", "recorded"])
def test_a_serial_number_is_taken_once(tmp_path: Path, first: str) -> None:
    """Whether only reserved or recorded already, it is refused by its value, and what was there stays."""
    with new_store(tmp_path) as store:
        store.reserve_many([reservation(certificate())])
        if first == "recorded":
            store.record(certificate(), key_use(certificate()))
        before = store.certificate(SERIAL)
        with pytest.raises(StoreError, match=f"serial number is taken: {SERIAL:X} of clients") as caught:
            store.reserve(SERIAL, issuer="clients", name="other", profile="client", at=NOW, actor="root")
        assert caught.value.code == "store.serial_taken"
        assert store.certificate(SERIAL) == before


def test_a_batch_with_a_taken_number_reserves_nothing(tmp_path: Path) -> None:
    """One transaction: the free numbers of a refused batch stay free."""
    with new_store(tmp_path) as store:
        store.reserve_many([reservation(certificate(7))])
        with pytest.raises(StoreError, match="taken: 07 of"):
            store.reserve_many([reservation(certificate(number)) for number in (5, 6, 7)])
        with pytest.raises(NotFoundError, match="serial number: 05"):
            store.certificate(5)


def test_a_batch_that_repeats_a_number_is_refused(tmp_path: Path) -> None:
    """A number twice in one batch is a clash too."""
    with new_store(tmp_path) as store, pytest.raises(StoreError, match="taken: 09 of"):
        store.reserve_many([reservation(certificate(number)) for number in (8, 9, 9)])


def test_recording_needs_a_reservation(tmp_path: Path) -> None:
    """A certificate whose number was not reserved is refused, and its signature is not logged either."""
    with new_store(tmp_path) as store:
        with pytest.raises(StoreError, match="not reserved but unknown") as caught:
            store.record(certificate(), key_use(certificate()))
        assert caught.value.code == "store.not_reserved"
        assert list(store.key_uses()) == []


def test_a_certificate_is_recorded_once(tmp_path: Path) -> None:
    """Recording again neither changes the row nor the log."""
    with new_store(tmp_path) as store:
        issue(store, certificate())
        with pytest.raises(StoreError, match="not reserved but valid"):
            store.record(certificate(name="other"), key_use(certificate()))
        assert store.certificate(SERIAL) == certificate()
        assert len(list(store.key_uses())) == 1


def test_recording_logs_the_signature(tmp_path: Path) -> None:
    """The log entry names the CA, the serial number and the digest of what was signed."""
    with new_store(tmp_path) as store:
        issue(store, certificate())
        (use,) = store.key_uses()
        assert (use.sequence, use.ca, use.serial_number, use.digest) == (
            1,
            "clients",
            SERIAL,
            key_use(certificate()).digest,
        )


def test_the_same_number_under_two_cas_needs_the_issuer(tmp_path: Path) -> None:
    """Imported CAs count from 1: both are kept, and which one is meant is asked, not guessed."""
    partners = CARecord("partners", "client", None, b"", "key-2", "active", NOW)
    with new_store(tmp_path, partners) as store:
        issue(store, certificate(1), certificate(1, issuer="partners", name="guest"))
        with pytest.raises(AmbiguousError) as caught:
            store.certificate(1)
        assert caught.value.code == "store.ambiguous_serial"
        assert sorted(caught.value.candidates) == ["clients/01  client.device", "partners/01  guest"]
        assert store.certificate(1, issuer="partners").name == "guest"


def test_an_unknown_issuer_is_refused(tmp_path: Path) -> None:
    """A number can only be reserved for a CA that exists."""
    with new_store(tmp_path) as store, pytest.raises(NotFoundError, match="no CA of that name: nobody"):
        store.reserve(SERIAL, issuer="nobody", name="x", profile="client", at=NOW, actor="root")


@pytest.mark.parametrize("number", [-1, 1 << 160])
def test_a_number_that_no_certificate_can_have_is_refused(tmp_path: Path, number: int) -> None:
    """RFC 5280 4.1.2.2: not negative, at most 20 octets."""
    with new_store(tmp_path) as store, pytest.raises(InputError, match="out of range"):
        store.reserve(number, issuer="clients", name="x", profile="client", at=NOW, actor="root")


def test_reservations_that_became_nothing_are_told_by_age(tmp_path: Path) -> None:
    """A young one may be work under way; what became a certificate is none."""
    old, young = certificate(1, created_at=NOW), certificate(2, created_at=NOW + 60)
    with new_store(tmp_path) as store:
        issue(store, certificate(3, created_at=NOW))
        store.reserve_many([reservation(old), reservation(young)])
        assert store.reserved_before(NOW + 60) == (reservation(old),)
        assert store.reserved_before(NOW + DAY) == (reservation(old), reservation(young))


def test_adopted_certificates_keep_their_status(tmp_path: Path) -> None:
    """What another program issued and revoked is here as it was, also without the certificate itself."""
    revoked = certificate(2, status=Status.REVOKED, revoked_at=NOW, revocation_reason="superseded", certificate=None)
    with new_store(tmp_path) as store:
        store.adopt([(certificate(1), None), (revoked, b"entry")])
        assert store.certificate(1) == certificate(1)
        assert store.certificate(2) == revoked
        assert list(store.revoked("clients", not_expired_at=NOW)) == [b"entry"]
        with pytest.raises(StoreError, match="taken: 02 of"):
            store.adopt([(certificate(4), None), (revoked, b"entry")])
        with pytest.raises(NotFoundError):
            store.certificate(4)


def test_an_empty_batch_is_nothing(tmp_path: Path) -> None:
    """No row and no log entry come of it."""
    with new_store(tmp_path) as store:
        store.reserve_many([])
        store.record_many([])
        assert list(store.key_uses()) == []


def test_text_that_is_no_unicode_is_an_input_error(tmp_path: Path) -> None:
    """An argument that was not UTF-8 arrives as lone surrogates; that is said, not raised as ValueError."""
    reserved = Reservation(1, "clients", "caf\udce9", "client", NOW, "root")
    with new_store(tmp_path) as store, pytest.raises(InputError) as caught:
        store.reserve_many([reserved])
    assert caught.value.code == "store.value"


def test_ca_records_come_back(tmp_path: Path) -> None:
    """The CA of the other tests is there with every field."""
    with new_store(tmp_path) as store:
        assert store.cas() == (CLIENTS,)
