"""Which lists are new to a generation: of hosts that share a store, each deploys with lists and probes of its own."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from authority_fixtures import make_client, small_ca
from counterseal.authority.generation_lists import has_newest_lists, list_numbers
from counterseal.authority.probes import make_probes, retire_good
from counterseal.authority.publish import publish
from counterseal.authority.revoke import revoke, unrevoke
from counterseal.files import write_fileset
from counterseal.pki.crl import RevocationReason
from counterseal.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.authority.parts import Authority

HOLD = RevocationReason.CERTIFICATE_HOLD


@contextmanager
def deployed_elsewhere(path: Path) -> Iterator[Authority]:
    """Give a CA with ann, and cid on hold, whose lists a generation in ``path`` has; another host deployed since."""
    with small_ca(path) as authority:
        for name in ("ann", "cid"):
            make_client(authority, name)
        revoke(authority, "cid", HOLD)
        make_probes(authority, "clients", path / "canaries", with_unlisted=False)
        publish(authority)
        write_fileset(path, list_numbers(authority))
        retire_good(authority, "clients")
        publish(authority)
        yield authority


@pytest.mark.parametrize("is_shared", [True, False])
def test_the_probes_of_another_host_are_nothing_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_shared: bool
) -> None:
    """Each refresh of one host made a deploy due on the other, for ever. Without others every list is new."""
    monkeypatch.setattr(Store, "is_shared", is_shared)
    with deployed_elsewhere(tmp_path) as authority:
        assert has_newest_lists(authority, tmp_path) is is_shared


@pytest.mark.parametrize("change", ["revoked", "held", "lifted", "old", "away"])
def test_all_else_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """Whoever is revoked, held or back, a list of yesterday, and one that was signed elsewhere."""
    monkeypatch.setattr(Store, "is_shared", True)
    with deployed_elsewhere(tmp_path) as authority:
        now = authority
        match change:
            case "revoked" | "held":
                revoke(authority, "ann", HOLD if change == "held" else RevocationReason.SUPERSEDED)
            case "lifted":
                unrevoke(authority, "cid")
            case "old":
                now = replace(authority, clock=lambda: authority.clock() + timedelta(days=1))
            case _:
                authority.keystore.path("clients").unlink()
        publish(authority)
        assert not has_newest_lists(now, tmp_path)
