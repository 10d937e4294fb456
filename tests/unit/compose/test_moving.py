"""What counterseal.toml says after the store was moved."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from authority_fixtures import small_ca
from counterseal.authority.ahead import reserve_ahead
from counterseal.authority.leasing import tell_of_service
from counterseal.compose.moving import _configuration, _have_alone
from counterseal.config.settings import StoreSettings
from counterseal.errors import StoreError
from counterseal.moments import epoch
from counterseal.store.leases import give_lease_back, take_lease

BEFORE = "# mine\n[serve]\nnames = ['a']\n"


@pytest.mark.parametrize("name", ["password", 'pass "word"', "back\\slash", "caf\u00e9", "d\x7fl"])
def test_the_store_is_named_whatever_its_file_is_called(tmp_path: Path, name: str) -> None:
    """And every other line stays as it is."""
    (tmp_path / "counterseal.toml").write_text(BEFORE)
    store = StoreSettings("postgresql://ca@/ca?host=/run", Path("/etc") / name)
    directory, (written,) = _configuration(tmp_path, store)
    assert tomllib.loads(written.content.decode())["store"] == {"url": store.url, "password_file": f"/etc/{name}"}
    assert (directory, written.content.decode().startswith(BEFORE)) == (tmp_path, True)


def test_a_configuration_that_is_a_link_stays_one(tmp_path: Path) -> None:
    """The file that it names is written."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "ca.toml").write_text(BEFORE)
    (tmp_path / "counterseal.toml").symlink_to("etc/ca.toml")
    directory, (written,) = _configuration(tmp_path, StoreSettings("postgresql://ca@/ca"))
    assert directory / written.path == tmp_path / "etc" / "ca.toml"


def test_a_move_waits_for_what_is_being_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It could not be recorded any more; what is only reserved ahead is not being signed."""
    monkeypatch.setattr("counterseal.compose.moving.SIGNING_SECONDS", 0)
    with small_ca(tmp_path) as authority:
        monkeypatch.setattr("counterseal.compose.moving.now", authority.clock)
        store, at = authority.store, epoch(authority.clock())
        reserve_ahead(authority, "clients")
        with _have_alone(store):
            pass
        store.reserve(7, issuer="clients", name="ann", profile="client", at=at, actor="test")
        with pytest.raises(StoreError, match="1 signature under way"), _have_alone(store):
            pytest.fail("while it is signed")
        store.release([(7, "clients")])
        lease = take_lease(store, "crl clients", holder="test", seconds=60)
        assert lease
        with pytest.raises(StoreError, match="1 signature under way"), _have_alone(store):
            pytest.fail("while it is signed")
        give_lease_back(store, lease)
        tell_of_service(authority)
        store.reserve(8, issuer="clients", name="bob", profile="client", at=at - 31, actor="test")
        with _have_alone(store):
            pass
