"""The CAs that are made under a root."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from authority_fixtures import small_ca
from counterseal.authority.create import add_ca
from counterseal.pki.profile import Purpose
from counterseal.pki.subject import common_name

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
