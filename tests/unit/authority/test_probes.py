"""The probes of earlier generations are revoked by the next, at a cost that does not grow with their number."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from authority_fixtures import NOW, small_ca
from counterseal.authority.probes import (
    ending_probes,
    files_of,
    issue_good,
    make_probes,
    retire_good,
    unlisted_serials,
)
from counterseal.files import write_fileset
from counterseal.moments import epoch
from counterseal.store.inventory import Inventory
from counterseal.store.records import Query, Status

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from counterseal.authority.parts import Authority
    from counterseal.store.records import Page


def test_what_was_revoked_before_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generation is made every six hours for years, and whenever somebody is revoked."""
    read: list[int] = []
    search = Inventory.search

    def counting(self: Inventory, query: Query) -> Page:
        page = search(self, query)
        read.append(len(page.records))
        return page

    monkeypatch.setattr(Inventory, "search", counting)
    monkeypatch.setattr(Inventory, "by_name", None)  # reads all that ever had the name
    with small_ca(tmp_path) as authority:
        for _ in range(3):
            make_probes(authority, "clients", tmp_path / "canaries", with_unlisted=True)
            issue_good(authority, "clients")
            retire_good(authority, "clients")
        left = authority.store.every(Query(status=Status.VALID, profile="client-probe", limit=1))
        assert sorted({record.name for record in left}) == ["probe:expired:clients", "probe:outsider:clients"]
    assert read[:3] == [3, 4, 5]  # the outsiders of the last hour are still good, and no site is theirs


def test_what_the_list_of_known_certificates_leaves_out(tmp_path: Path) -> None:
    """The unlisted probe of this generation, and who knocks at a CA that a site does not admit, while they are good."""
    with small_ca(tmp_path) as authority:
        make_probes(authority, "clients", tmp_path / "canaries", with_unlisted=True)
        issue_good(authority, "clients")
        assert len(list(unlisted_serials(authority, "clients", at=epoch(NOW)))) == 2
        assert len(list(unlisted_serials(authority, "clients", at=epoch(NOW) + 2 * 3600))) == 1
        retire_good(authority, "clients")
        assert len(list(unlisted_serials(authority, "clients", at=epoch(NOW)))) == 1


def test_probes_that_end_soon_are_known(tmp_path: Path) -> None:
    """When a third of their seven days is left, and while their CA can still make better ones."""
    with small_ca(tmp_path) as authority:
        probes = make_probes(authority, "clients", tmp_path / "canaries", with_unlisted=False)
        write_fileset(tmp_path, files_of("clients", probes))
        assert ending_probes(at(authority, timedelta(days=4)), tmp_path) == ()
        for days in (5, 8):
            assert ending_probes(at(authority, timedelta(days=days)), tmp_path) == ("clients",)
        left = authority.issuer("clients").certificate.not_valid_after_utc - NOW
        last = at(authority, left - timedelta(hours=1))
        write_fileset(tmp_path, files_of("clients", make_probes(last, "clients", tmp_path / "c", with_unlisted=False)))
        assert ending_probes(at(authority, left - timedelta(minutes=2)), tmp_path) == ()


def at(authority: Authority, later: timedelta) -> Authority:
    """Return the authority as it is so much later."""
    return replace(authority, clock=lambda: NOW + later)
