"""A private nginx that was stopped stays so, whatever a command has for it: its next start has the new generation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from command import counterseal, here
from one_site import SITE, meets
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.nginx
TOLD = "warning: nginx does not run, so nobody gets in, and nothing could be proved; it was not started\n"


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """Return a home with ann, a second CA for clients and a site whose nginx was stopped, and the port."""
    home, port = tmp_path / "home", free_port()
    assert here(home, "init", "--no-passphrase").code == 0
    assert here(home, "ca", "add", "clients-2", "--purpose", "client").code == 0
    assert here(home, "client", "ann", "--no-p12", "--out", str(tmp_path / "out")).code == 0
    (home / "counterseal.toml").write_text(SITE.format(port=port))
    assert counterseal(home, "nginx", "deploy").code == 0
    assert meets(home, port, "ann") is not None
    assert here(home, "nginx", "stop").code == 0
    yield home, port
    counterseal(home, "nginx", "stop")


def is_running(home: Path) -> bool:
    """Return what status says of nginx."""
    return bool(json.loads(here(home, "nginx", "status", "--json").stdout)["running"])


def test_a_ca_that_is_retired_starts_nothing(stopped: tuple[Path, int]) -> None:
    """It is said, and whom the successor issued a certificate gets in once nginx is started."""
    home, port = stopped
    words = ("ca", "retire", "clients", "--successor", "clients-2")
    rehearsed = here(home, *words, "--dry-run").stdout
    assert "would make a new generation for the next start of nginx, which does not run, unproved" in rehearsed
    ran = counterseal(home, *words)
    assert (ran.code, is_running(home)) == (0, False), ran.stderr
    assert f"{TOLD}hint: start it: counterseal nginx deploy\n" in ran.stderr
    assert ran.stdout.startswith("in force when nginx starts, tested but not proved: generation 2\n")
    assert here(home, "client", "bob", "--no-p12", "--out", str(home.parent / "out")).code == 0
    assert counterseal(home, "nginx", "deploy").code == 0
    assert meets(home, port, "bob") == meets(home, port, "ann") != 400


def test_a_ca_that_is_revoked_is_locked_out_of_the_next_start(stopped: tuple[Path, int]) -> None:
    """Its generation names the CA no more, and is the one that a start by hand finds."""
    home, port = stopped
    before = trusts(home, "ann")
    ran = counterseal(home, "ca", "revoke", "clients", "--yes")
    assert (ran.code, is_running(home)) == (0, False), ran.stderr
    assert TOLD in ran.stderr
    assert ran.stdout.startswith("in force when nginx starts, tested but not proved: generation 2, ")
    assert (before, trusts(home, "ann")) == (True, False)
    assert counterseal(home, "nginx", "deploy").code == 0
    assert meets(home, port, "ann") == 400


def trusts(home: Path, name: str) -> bool:
    """Return whether the next start of nginx would trust who issued somebody's certificate."""
    issuer = (home.parent / "out" / f"{name}.fullchain.pem").read_text().partition("-----END CERTIFICATE-----\n")[2]
    (file,) = (home / "nginx" / "current").resolve().rglob("panel.client-cas.pem")
    return issuer.strip() in file.read_text()
