"""CAs and their CRLs."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import NotFoundError, StoreError
from counterseal.pki import der
from counterseal.pki.crl import encode_entry
from counterseal.store.authorities import CRLS_KEPT, LONG_CRL
from counterseal.store.records import CARecord, CRLRecord, NewKeyUse
from store_fixtures import CLIENTS, DAY, NOW, new_store

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_database")


ROOT = CARecord("root", "root", None, b"root certificate", "key-0", "active", NOW - 1)
SIGNED = NewKeyUse(NOW, "root", "sign crl", "clients", None, sha256(b"crl").digest())
_LENGTHS = "select number, length(der) from crl order by number"


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
        with pytest.raises(StoreError, match="a CRL of that number exists: clients 1"):
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


def long_crl(number: int, numbers: range) -> CRLRecord:
    """Return a list with entries for these serial numbers, as its DER stands apart from what it says around them."""
    entries = der.sequence(*(encode_entry(one, datetime.fromtimestamp(NOW, UTC)) for one in numbers))
    around = der.sequence(der.octet_string(bytes(number)))  # its length, and so the place of the entries, changes
    signed = der.sequence(der.sequence(), around, der.time(datetime.fromtimestamp(NOW, UTC)), entries)
    return crl(number)._replace(crl=der.sequence(signed, der.sequence(), der.bit_string(b"signature %d" % number)))


def test_of_a_long_list_only_what_is_new_is_kept(tmp_path: Path) -> None:
    """Every octet comes back; the list from which others go on stays as long as they do, and no longer."""
    few = len(encode_entry(10_000, datetime.fromtimestamp(NOW, UTC)))
    count = 2 * LONG_CRL // few
    lists = [long_crl(1 + added, range(10_000, 10_000 + count + added)) for added in range(8)]
    anew = [long_crl(9 + added, range(10_001, 10_000 + count + added)) for added in range(CRLS_KEPT + 1)]
    with new_store(tmp_path) as store:
        for one in lists:
            store.add_crl(one)
            assert store.latest_crl("clients") == one
        kept = dict[int, int](store.rows(_LENGTHS))
        assert list(kept) == [1, *range(4, 9)]
        assert all(length < 20 * few for number, length in kept.items() if number > 1)
        for one in anew:
            store.add_crl(one)
            assert store.latest_crl("clients") == one
        kept = dict[int, int](store.rows(_LENGTHS))
        assert list(kept) == [9, *range(10, 15)]
        assert kept[9] == len(anew[0].crl)


def test_a_long_list_of_mostly_others_is_kept_whole(tmp_path: Path) -> None:
    """What an earlier one has not would be written again with every list."""
    entries = LONG_CRL // len(encode_entry(10_000, datetime.fromtimestamp(NOW, UTC)))
    with new_store(tmp_path) as store:
        store.add_crl(long_crl(1, range(10_000, 10_000 + 2 * entries)))
        store.add_crl(long_crl(2, range(10_000, 10_000 + 3 * entries)))
        bases = store.rows("select base from crl order by number")
        assert bases == [(None,), (None,)]


def test_a_crl_of_an_unknown_ca_is_refused(tmp_path: Path) -> None:
    """There is nothing to hang it on."""
    with new_store(tmp_path) as store, pytest.raises(NotFoundError):
        store.add_crl(crl(1)._replace(issuer="nobody"))
