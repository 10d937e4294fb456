"""The CAs that are made under a root."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from authority_fixtures import NOW, small_ca
from counterseal.authority.create import ROOT_LIFETIME, RootPlan, add_ca, create, rehearse_ca
from counterseal.authority.parts import ROOT, Authority
from counterseal.errors import InputError, RefusedError
from counterseal.keystore.file import FileKeyStore
from counterseal.pki.keys import P256
from counterseal.pki.profile import Purpose
from counterseal.pki.subject import common_name, parse_subject
from counterseal.store.sqlite import open_store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("root", ["Root", "The Root of " + "Example " * 6 + "Ltd", "R" * 64])
def test_cas_under_a_root_have_names_of_their_own(tmp_path: Path, root: str) -> None:
    """However long the root's is: nginx pins an issuer by its name alone, so a CA is not to pass for another."""
    with small_ca(tmp_path, f"CN={root}") as authority:
        add_ca(authority, "clients-2", Purpose.CLIENT, encrypt=False)
        names = [common_name(authority.issuer(ca.name).certificate.subject) or "" for ca in authority.store.cas()]
        assert sorted(name.rpartition(" ")[2] for name in names)[-3:] == ["clients", "clients-2", "servers"]
        assert max(map(len, names)) <= 64


def test_no_ca_begins_before_its_root(tmp_path: Path) -> None:
    """Also where the clock was set back since: some verifiers want each certificate inside the one above."""
    with small_ca(tmp_path) as authority:
        add_ca(replace(authority, clock=lambda: NOW - timedelta(minutes=1)), "late", Purpose.CLIENT, encrypt=False)
        root, late = (authority.issuer(name).certificate for name in (ROOT, "late"))
        assert late.not_valid_before_utc == root.not_valid_before_utc


def test_a_ca_that_would_not_live_is_refused_before_there_is_a_key(tmp_path: Path) -> None:
    """A root, and one below it."""
    with open_store(tmp_path / "store.db", create=True) as store:
        authority = Authority(store, FileKeyStore(tmp_path / "keys", lambda: None), lambda: NOW, os.urandom, "test")
        plan = RootPlan(parse_subject("CN=Root"), lifetime=timedelta(0), encrypt=False)
        with pytest.raises(InputError, match="must live for some time") as raised:
            create(authority, plan)
        assert (raised.value.code, store.cas(), authority.keystore.has(ROOT)) == ("ca.lifetime", (), False)
        create(authority, replace(plan, lifetime=timedelta(days=1)))
        with pytest.raises(InputError, match="must live for some time"):
            add_ca(authority, "more", Purpose.CLIENT, lifetime=timedelta(milliseconds=999), encrypt=False)
        assert not authority.keystore.has("more")


def test_nothing_is_made_under_a_root_that_has_ended(tmp_path: Path) -> None:
    """It would have ended before it began. On its last day there is one that ends with it."""
    with small_ca(tmp_path) as authority:
        last = replace(authority, clock=lambda: NOW + ROOT_LIFETIME)
        ended = replace(authority, clock=lambda: NOW + ROOT_LIFETIME + timedelta(seconds=1))
        add_ca(last, "last", Purpose.CLIENT, encrypt=False)
        for make in (
            lambda: add_ca(ended, "late", Purpose.CLIENT, encrypt=False),
            lambda: rehearse_ca(ended, "late", Purpose.CLIENT, key=P256, lifetime=None, encrypt=False),
        ):
            with pytest.raises(RefusedError, match="the root expired on 2035-12-30 00:00") as raised:
                make()
            assert raised.value.code == "ca.root_expired"
        assert not authority.keystore.has("late")
        assert "late" not in {record.name for record in authority.store.cas()}
