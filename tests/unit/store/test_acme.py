"""The tables of ACME: what happens once, what is taken away, and that nothing asked for scans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.store.acme import accounts, authorizations, orders, passing
from counterseal.store.acme.records import AccountRecord, AuthorizationRecord, ExternalKeyRecord, OrderRecord
from store_fixtures import DAY, NOW, new_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from counterseal.store.store import Store

pytestmark = pytest.mark.usefixtures("each_database")


ACCOUNT = AccountRecord(
    "a1",
    "thumb",
    "{}",
    "valid",
    "[]",
    terms_agreed=True,
    external_key=None,
    created_at=NOW,
    terms="t",
    external_binding="{}",
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return a store with an account."""
    with new_store(tmp_path) as opened:
        accounts.add_account(opened, ACCOUNT)
        yield opened


def authorization(identifier: str, **changes: object) -> AuthorizationRecord:
    """Return a pending authorization."""
    values: dict[str, object] = {
        "id": identifier,
        "account": "a1",
        "kind": "dns",
        "value": "x.example.com",
        "wildcard": False,
        "status": "pending",
        "token": "t",
        "created_at": NOW,
        "expires_at": NOW + DAY,
    }
    return AuthorizationRecord(**(values | changes))  # type: ignore[arg-type] # the fields above


def order(identifier: str, created_at: int = NOW) -> OrderRecord:
    """Return a pending order."""
    return OrderRecord(identifier, "a1", "pending", "[]", "[]", "server", created_at, created_at + DAY)


def test_a_key_has_one_account(store: Store) -> None:
    """Whoever comes second is told."""
    assert not accounts.add_account(store, ACCOUNT)
    assert accounts.find_account_by_key(store, "thumb") == ACCOUNT
    assert accounts.set_account_status(store, "a1", "deactivated")
    assert not accounts.set_account_status(store, "a1", "deactivated")


@pytest.mark.parametrize(("reusable", "uses"), [(False, [True, False]), (True, [True, True])])
def test_an_external_key_is_used_once_or_often(store: Store, reusable: bool, uses: list[bool]) -> None:  # noqa: FBT001 - a row of the table
    """And never after it was revoked."""
    accounts.add_external_key(store, ExternalKeyRecord("k", "team", NOW, "root", reusable=reusable))
    assert [accounts.use_external_key(store, "k", NOW) for _ in range(2)] == uses
    accounts.revoke_external_key(store, "k", NOW)
    assert not accounts.use_external_key(store, "k", NOW)


def test_what_happens_once_happens_once(store: Store) -> None:
    """A nonce, an attempt, a result, a certificate: the second one is told."""
    authorizations.add_authorizations(store, [authorization("z1")])
    orders.add_order(store, order("o1"))
    assert [passing.use_nonce(store, "n", NOW) for _ in range(2)] == [passing.NonceUse.FIRST, passing.NonceUse.AGAIN]
    assert [authorizations.attempt(store, "z1", kind) for kind in ("dns-01", "http-01")] == [True, False]
    tried = authorization("z1")._replace(attempted="dns-01")
    results = [authorizations.finish(store, tried._replace(status=status)) for status in ("valid", "invalid")]
    assert results == [True, False]
    assert [orders.change_order(store, "o1", was="pending", status="processing") for _ in range(2)] == [True, False]
    done = [
        orders.complete_order(store, "o1", was="processing", issuer="clients", serial_number=5, expires_at=NOW)
        for _ in range(2)
    ]
    assert done == [True, False]
    assert orders.find_order_of_certificate(store, 5, "clients") == orders.find_order(store, "o1")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda _: None, passing.NonceUse.FIRST),
        (lambda store: accounts.set_contact(store, "a1", "[1]"), passing.NonceUse.ACCOUNT_CHANGED),
        (lambda store: accounts.agree(store, "a1", "https://ca.test/terms"), passing.NonceUse.ACCOUNT_CHANGED),
        (lambda store: accounts.set_account_status(store, "a1", "revoked"), passing.NonceUse.ACCOUNT_CHANGED),
        (
            lambda store: accounts.set_account_key(store, "a1", was="thumb", thumbprint="new", jwk="{}"),
            passing.NonceUse.ACCOUNT_CHANGED,
        ),
        (
            lambda store: accounts.set_account_key(store, "a1", was="another", thumbprint="new", jwk="{}"),
            passing.NonceUse.FIRST,
        ),
    ],
)
def test_a_nonce_is_spent_by_an_account_as_it_was_read(
    store: Store, change: Callable[[Store], object], found: passing.NonceUse
) -> None:
    """Or it is said that the account has changed; the nonce is spent either way."""
    known = accounts.find_account(store, "a1")
    change(store)
    assert passing.use_nonce(store, "n", NOW, known) is found
    assert passing.use_nonce(store, "n", NOW, known) is passing.NonceUse.AGAIN


def test_a_csr_is_kept_while_it_is_signed(store: Store) -> None:
    """Those in processing are claimed, and no others; whatever an order becomes, its CSR is gone then."""
    for number in range(3):
        orders.add_order(store, order(f"o{number}"))
    for number in (1, 2):
        assert orders.change_order(store, f"o{number}", was="pending", status="processing", csr=b"csr")
    assert set(orders.claim_processing(store, everything=True, limit=9)) == {"o1", "o2"}
    orders.complete_order(store, "o1", was="processing", issuer="clients", serial_number=5, expires_at=NOW)
    orders.change_order(store, "o2", was="processing", status="invalid", error="{}")
    found = [one for number in range(3) if (one := orders.find_order(store, f"o{number}"))]
    assert [(one.status, one.csr) for one in found] == [("pending", None), ("valid", None), ("invalid", None)]


def test_what_is_over_is_taken_away_in_steps(store: Store) -> None:
    """Oldest first, so many at a time, and nothing that is still good."""
    for number in range(10):
        orders.add_order(store, order(f"o{number}", NOW + number))
        passing.use_nonce(store, f"n{number}", NOW + number)
    authorizations.add_authorizations(store, [authorization(f"z{n}", expires_at=NOW + n) for n in range(10)])
    assert [passing.forget_orders(store, NOW + DAY + 6, 4) for _ in range(3)] == [4, 2, 0]
    assert [passing.forget_nonces(store, NOW + 6, 4) for _ in range(3)] == [4, 2, 0]
    assert [passing.forget_authorizations(store, NOW + 6, 4) for _ in range(3)] == [4, 2, 0]
    assert _listed(store, NOW) == ["o6", "o7", "o8", "o9"]


def test_orders_are_listed_that_are_not_invalid(store: Store) -> None:
    """RFC 8555 7.1.2.1: nor those that were not finalized in time, which is the same."""
    for number, status in enumerate(("pending", "processing", "valid", "invalid", "ready")):
        orders.add_order(store, order(f"o{number}", NOW + number)._replace(status=status))
    ends = order("o", NOW).expires_at
    assert _listed(store, ends - 1) == ["o0", "o1", "o2", "o4"]
    assert _listed(store, ends + 2) == ["o2", "o4"]


def _listed(store: Store, at: int) -> list[str]:
    return [identifier for identifier, _ in orders.order_ids(store, "a1", at=at, limit=100)]


def test_uses_are_counted_by_window(store: Store) -> None:
    """Of each subject and each action."""
    assert [passing.count_use(store, "a1", "order", NOW) for _ in range(3)] == [1, 2, 3]
    assert passing.count_use(store, "a1", "order", NOW + 3600) == 1
    assert passing.uses(store, "a1", "order", NOW) == 3
    passing.count_use(store, "a2", "order", NOW)
    assert [passing.forget_usage(store, NOW + 1, 1) for _ in range(3)] == [1, 1, 0]
