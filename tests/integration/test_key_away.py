"""The key of a client CA is away: what its list alone would lock out is said until it is back; all else goes on."""

from __future__ import annotations

import json
import shutil
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from command import counterseal, here
from one_site import SITE, meets
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.nginx
BOTH = 'client_cas = ["partners", "clients"]\n'
PARTNERS_ALONE = """
[sites.partners]
server_names = ["partners.test"]
listen = ["127.0.0.1:{port}"]
root = "/srv"
client_cas = ["partners"]
"""
LASTS = 20
"""Seconds, for a list: time enough for a deploy and its proof on a busy machine."""
SHORT = f'[ca]\ncrl_lifetime = "{LASTS}s"\ncrl_refresh = "{LASTS // 2}s"\n'


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """Return a home whose site admits ann and bob, and pat of another CA whose key is away since; and its port."""
    home, port = tmp_path / "home", free_port()
    assert here(home, "init", "--no-passphrase").code == 0
    assert here(home, "ca", "add", "partners", "--purpose", "client").code == 0
    for name, ca in (("ann", "clients"), ("bob", "clients"), ("pat", "partners")):
        assert here(home, "client", name, "--issuer", ca, "--no-p12", "--out", str(tmp_path / "out")).code == 0
    (home / "counterseal.toml").write_text(SITE.format(port=port) + BOTH + PARTNERS_ALONE.format(port=free_port()))
    deployed = counterseal(home, "nginx", "deploy")
    assert deployed.code == 0, deployed.stderr
    _take_away(home, "partners")
    yield home, port
    counterseal(home, "nginx", "stop")


def _take_away(home: Path, ca: str) -> None:
    key = home / "keys" / f"{ca}.key.pem"
    key.rename(home.parent / key.name)


def _bring_back(home: Path, ca: str) -> None:
    name = f"{ca}.key.pem"
    (home.parent / name).rename(home / "keys" / name)


def test_the_key_of_one_client_ca_holds_up_nobody_of_another(shared: tuple[Path, int]) -> None:
    """It kept every deploy from nginx, and with it every lock-out, of any CA."""
    home, port = shared
    rehearsed = counterseal(home, "revoke", "ann", "--dry-run")
    assert rehearsed.code == 0, rehearsed.stderr
    ran = counterseal(home, "revoke", "ann")
    assert ran.code == 0, ran.stderr
    assert "warning: the key of CA partners is not here: nginx goes by its last list, until 20" in ran.stderr
    assert [meets(home, port, name) for name in ("ann", "bob", "pat")] == [400, 200, 200]
    assert here(home, "refresh").stdout == "nothing is due\n"
    (alone,) = json.loads(here(home, "prove", "partners", "--json").stdout)["proofs"]
    tried = {row["kind"] for row in alone["rows"] if row["skipped"] is None}
    assert {"good", "expired", "server-purpose", "revoked", "other-client-ca"} <= tried
    assert counterseal(home, "nginx", "deploy").code == 0


def test_a_list_that_has_ended_holds_up_nobody_of_another(shared: tuple[Path, int]) -> None:
    """Nobody of its CA gets in, so that none is tried; that is said. A deploy that locks nobody out waits for it."""
    home, port = shared
    settings = home / "counterseal.toml"
    right = settings.read_text()
    _bring_back(home, "partners")
    settings.write_text(right + SHORT)
    assert counterseal(home, "nginx", "deploy").code == 0
    signed = datetime.now(UTC)
    _take_away(home, "partners")
    settings.write_text(right)
    while (datetime.now(UTC) - signed).total_seconds() < LASTS:
        time.sleep(0.1)
    ran = counterseal(home, "revoke", "ann")
    assert ran.code == 0, ran.stderr
    assert "warning: the list of CA partners ended 20" in ran.stderr
    assert [meets(home, port, name) for name in ("ann", "bob", "pat")] == [400, 200, 400]
    for dry in ([], ["--dry-run"]):
        refused = counterseal(home, "nginx", "deploy", "--json", *dry)
        assert (refused.code, json.loads(refused.stdout)["error"]["code"]) == (1, "key.missing"), refused.stderr
    _bring_back(home, "partners")
    assert counterseal(home, "nginx", "deploy").code == 0
    assert [meets(home, port, name) for name in ("ann", "bob", "pat")] == [400, 200, 200]


def test_a_deploy_waits_for_a_key_only_where_nobody_else_can_prove_a_site(shared: tuple[Path, int]) -> None:
    """Where the probes of a CA whose key is away are gone, those of another CA that the site admits will do."""
    home, port = shared
    shutil.rmtree(home / "nginx" / "current" / "probes" / "partners")
    for dry in ([], ["--dry-run"]):
        refused = counterseal(home, "nginx", "deploy", "--json", *dry)
        assert (refused.code, json.loads(refused.stdout)["error"]["code"]) == (1, "key.missing"), refused.stderr
    settings = home / "counterseal.toml"
    settings.write_text(settings.read_text().partition("\n[sites.partners]")[0])
    rehearsed = counterseal(home, "nginx", "deploy", "--dry-run")
    assert (rehearsed.code, "probes under CA partners" in rehearsed.stdout) == (0, False), rehearsed.stderr
    assert counterseal(home, "nginx", "deploy").code == 0
    assert [meets(home, port, name) for name in ("ann", "bob", "pat")] == [200, 200, 200]


def test_a_hold_that_a_list_has_stays(shared: tuple[Path, int]) -> None:
    """The map alone takes it back, while nginx goes by the list as well."""
    home, port = shared
    _bring_back(home, "partners")
    assert here(home, "revoke", "pat", "--reason", "certificate_hold").code == 0
    _take_away(home, "partners")
    ran = counterseal(home, "unrevoke", "pat")
    assert (ran.code, "error: nginx still refuses pat: no private key for CA 'partners'" in ran.stderr) == (1, True)
    assert meets(home, port, "pat") == 400
    _bring_back(home, "partners")
    assert (counterseal(home, "refresh").code, meets(home, port, "pat")) == (0, 200)


def test_refresh_says_that_a_revocation_waits_for_a_key(tmp_path: Path) -> None:
    """It ended with 0 and said that nothing was due, while the revoked client got in."""
    home, port = tmp_path / "home", free_port()
    assert here(home, "init", "--no-passphrase").code == 0
    assert here(home, "client", "ann", "--no-p12", "--out", str(tmp_path / "out")).code == 0
    (home / "counterseal.toml").write_text(SITE.format(port=port) + 'revocation = "crl"\n')
    assert counterseal(home, "nginx", "deploy").code == 0
    key = home / "keys" / "clients.key.pem"
    try:
        key.rename(tmp_path / key.name)
        rehearsed = counterseal(home, "revoke", "ann", "--dry-run")
        assert (rehearsed.code, "would fail: nginx still admits ann" in rehearsed.stdout) == (1, True), rehearsed.stderr
        assert (counterseal(home, "revoke", "ann").code, meets(home, port, "ann")) == (1, 200)
        for _ in range(2):
            waits = here(home, "refresh", "--json")
            assert (waits.code, json.loads(waits.stdout)["lacking"]) == (3, ["clients"])
            assert "no list of CA clients has who was revoked since the last one" in waits.stderr
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
        assert (ran.code, told in ran.stderr, "lists have it" in ran.stderr) == (0, True, False), ran.stderr
        assert not is_deployed or meets(home, port, "ann") == 400  # by the map, which needs no key
        (tmp_path / key.name).rename(key)
        again = counterseal(home, "revoke", "bob")
        assert (again.code, "no list has it" in again.stderr) == (0, False), again.stderr
    finally:
        counterseal(home, "nginx", "stop")
