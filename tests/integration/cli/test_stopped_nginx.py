"""A private nginx that was stopped stays so, whatever a command has for it: its next start has the new generation."""

from __future__ import annotations

import json
import subprocess
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


def test_sites_that_were_ended_on_purpose_are_no_fault(stopped: tuple[Path, int]) -> None:
    """Taken out of the file after nginx was stopped; whoever is revoked then is kept out of a start all the same."""
    home, port = stopped
    settings = home / "counterseal.toml"
    right = settings.read_text()
    settings.write_text("")
    told = f"no site is configured, and nothing is served; to forget what was: rm {home}/nginx/current\n"
    refreshed = counterseal(home, "refresh")
    assert (refreshed.code, refreshed.stdout, told in refreshed.stderr) == (0, "nothing is due\n", True), (
        refreshed.stderr
    )
    assert here(home, "refresh", "--dry-run").stdout == "would do nothing: nothing is due\n"
    assert here(home, "revoke", "ann", "--no-deploy").code == 0
    refreshed = counterseal(home, "refresh")
    kept = "generation 2 is kept for a start of nginx, tested but not proved\n"
    assert (refreshed.code, refreshed.stdout, told in refreshed.stderr) == (0, kept, True), refreshed.stderr
    assert "warning" not in refreshed.stderr
    assert generation_line(home) == ("ok", f"not served, and {UNNAMED}; to forget it: rm {home}/nginx/current")
    binary, conf = (
        json.loads(here(home, "nginx", "status", "--json").stdout)["binary"],
        home / "nginx/current/nginx.conf",
    )
    subprocess.run([binary, "-c", conf, "-e", home / "error.log"], check=True, timeout=30)
    assert meets(home, port, "ann") == 400
    proved_then_refused = [counterseal(home, "refresh").code for _ in range(2)]
    assert proved_then_refused == [3, 2], "nginx serves sites that nobody names"
    assert generation_line(home) == ("broken", f"nginx may serve it, and it is {UNNAMED}")
    settings.write_text(right)
    assert counterseal(home, "refresh").code == 0, "proved now that nginx runs"


def test_a_generation_that_is_forgotten_is_looked_for_by_nobody(stopped: tuple[Path, int]) -> None:
    """As the hint says; sites that come later are deployed as ever."""
    home, port = stopped
    settings = home / "counterseal.toml"
    right = settings.read_text()
    settings.write_text("")
    (home / "nginx" / "current").unlink()
    assert [here(home, *words).code for words in (("refresh",), ("revoke", "ann"))] == [0, 0]
    settings.write_text(right)
    assert counterseal(home, "nginx", "deploy").code == 0
    assert meets(home, port, "ann") == 400


UNNAMED = "of sites that counterseal.toml no longer names: panel"


def generation_line(home: Path) -> tuple[str, str]:
    """Return what doctor says of the generation in force."""
    checks = json.loads(here(home, "doctor", "--json").stdout)["checks"]
    (line,) = [one for one in checks if one["check"] == "generation"]
    return line["state"], line["message"]
