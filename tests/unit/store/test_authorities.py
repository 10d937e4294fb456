"""CAs and their CRLs."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import NotFoundError, StoreError
from counterseal.store.authorities import CRLS_KEPT
from counterseal.store.records import CARecord, CRLRecord, NewKeyUse
from store_fixtures import CLIENTS, DAY, NOW, new_store

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_database")


ROOT = CARecord("root", "root", None, b"root certificate", "key-0", "active", NOW - 1)
SIGNED = NewKeyUse(NOW, "root", "sign crl", "clients", None, sha256(b"crl").digest())


def crl(number: int) -> CRLRecord:
    """Return the CRL of that number."""
    return CRLRecord("clients", number, NOW + number, NOW + number + 7 * DAY, b"crl %d" % number, 3)


def test_cas_are_listed_in_the_order_they_were_made(tmp_path: Path) -> None:
    """The order is by time, then name."""
    with new_store(tmp_path, ROOT) as store:
        assert [ca.name for ca in store.cas()] == ["root", "clients"]


def test_a_ca_name_is_used_once(tmp_path: Path) -> None:
    """A second CA of that name is refused and the first one stays; its signature is not logged."""
    with new_store(tmp_path) as store:
        with pytest.raises(StoreError, match="exists: clients") as caught:
            store.add_ca(CLIENTS._replace(certificate=b"another"), SIGNED)
        assert caught.value.code == "store.ca_exists"
        assert store.ca("clients") == CLIENTS
        assert list(store.key_uses()) == []


def test_a_ca_under_an_unknown_one_is_refused(tmp_path: Path) -> None:
    """The parent must be there."""
    with new_store(tmp_path) as store, pytest.raises(NotFoundError, match="no CA of that name: nobody"):
        store.add_ca(CLIENTS._replace(name="staff", parent="nobody"))


def test_adding_a_ca_logs_the_signature_that_made_it(tmp_path: Path) -> None:
    """CA and log entry come together."""
    with new_store(tmp_path) as store:
        store.add_ca(ROOT, SIGNED._replace(ca="root", action="sign ca"))
        assert [(use.ca, use.action) for use in store.key_uses()] == [("root", "sign ca")]


def test_crl_numbers_are_dense_and_per_ca(tmp_path: Path) -> None:
    """Each CA counts by itself, an imported one from where it was."""
    with new_store(tmp_path) as store:
        store.add_ca(ROOT, crl_number=41)
        assert [store.next_crl_number("clients") for _ in range(3)] == [1, 2, 3]
        assert store.next_crl_number("root") == 42
        with pytest.raises(NotFoundError):
            store.next_crl_number("nobody")


def test_the_latest_crl_has_the_highest_number(tmp_path: Path) -> None:
    """Not the one added last."""
    with new_store(tmp_path) as store:
        assert store.latest_crl("clients") is None
        store.add_crl(crl(2), SIGNED)
        store.add_crl(crl(1))
        assert store.latest_crl("clients") == crl(2)
        assert [use.action for use in store.key_uses()] == ["sign crl"]


def test_a_crl_number_is_published_once(tmp_path: Path) -> None:
    """A second CRL of that number is refused, the first one stays."""
    with new_store(tmp_path) as store:
        store.add_crl(crl(1))
        with pytest.raises(StoreError, match="exists: clients 1"):
            store.add_crl(crl(1)._replace(crl=b"another"), SIGNED)
        assert store.latest_crl("clients") == crl(1)
        assert list(store.key_uses()) == []


def test_only_the_newest_crls_are_kept(tmp_path: Path) -> None:
    """A list of a million entries is 50 MB: old ones go."""
    with new_store(tmp_path) as store:
        for number in range(1, CRLS_KEPT + 4):
            store.add_crl(crl(number))
        kept = store.rows("select number from crl order by number")
        assert [number for (number,) in kept] == list(range(4, CRLS_KEPT + 4))


def test_a_crl_of_an_unknown_ca_is_refused(tmp_path: Path) -> None:
    """There is nothing to hang it on."""
    with new_store(tmp_path) as store, pytest.raises(NotFoundError):
        store.add_crl(crl(1)._replace(issuer="nobody"))
