"""The key of an issuing CA is away: nobody it issued to can be locked out, and that is said until it is back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from command import counterseal, here
from one_site import SITE, meets
from ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.nginx


def test_refresh_says_that_a_revocation_waits_for_a_key(tmp_path: Path) -> None:
    """It ended with 0 and said that nothing was due, while the revoked client got in."""
    home, port = tmp_path / "home", free_port()
    assert here(home, "init", "--no-passphrase").code == 0
    assert here(home, "client", "ann", "--no-p12", "--out", str(tmp_path / "out")).code == 0
    (home / "counterseal.toml").write_text(SITE.format(port=port))
    assert counterseal(home, "nginx", "deploy").code == 0
    key = home / "keys" / "clients.key.pem"
    try:
        key.rename(tmp_path / key.name)
        assert (counterseal(home, "revoke", "ann").code, meets(home, port, "ann")) == (1, 200)
        for _ in range(2):
            waits = here(home, "refresh", "--json")
            assert (waits.code, json.loads(waits.stdout)["lacking"]) == (3, ["clients"])
            assert "who was revoked since the last list of CA clients may still get in" in waits.stderr
        (tmp_path / key.name).rename(key)
        assert (counterseal(home, "refresh").code, meets(home, port, "ann")) == (0, 400)
    finally:
        assert counterseal(home, "nginx", "stop").code == 0


@pytest.mark.parametrize("is_deployed", [True, False])
def test_revoke_says_that_no_list_has_it(tmp_path: Path, *, is_deployed: bool) -> None:
    """It named the lists of the other CAs, or said that the lists have it; of a CA, ``ca revoke`` says it once."""
    home, port = tmp_path / "home", free_port()
    assert here(home, "init", "--no-passphrase").code == 0
    for name in ("ann", "bob"):
        assert here(home, "client", name, "--no-p12", "--out", str(tmp_path / "out")).code == 0
    told = "warning: no list has it: the key of CA clients is not here to sign one\n"
    key = home / "keys" / "clients.key.pem"
    try:
        if is_deployed:
            (home / "counterseal.toml").write_text(SITE.format(port=port))
            assert counterseal(home, "nginx", "deploy").code == 0
        key.rename(tmp_path / key.name)
        ran = counterseal(home, "revoke", "ann")
        assert (ran.code, told in ran.stderr, "lists have it" in ran.stderr) == (is_deployed, True, False), ran.stderr
        (tmp_path / key.name).rename(key)
        again = counterseal(home, "revoke", "bob")
        assert (again.code, "no list has it" in again.stderr) == (0, False), again.stderr
    finally:
        counterseal(home, "nginx", "stop")
