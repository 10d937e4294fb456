"""Files that a deploy reads are damaged: a revocation locks out all the same, or says that it does not."""

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
PROBES = "nginx/current/probes/clients"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Return a home whose site is served, with ann; its port stands beside it."""
    home, port = tmp_path / "home", free_port()
    (tmp_path / "port").write_text(str(port))
    assert here(home, "init", "--no-passphrase").code == 0
    assert here(home, "client", "ann", "--no-p12", "--out", str(tmp_path / "out")).code == 0
    (home / "counterseal.toml").write_text(SITE.format(port=port))
    assert counterseal(home, "nginx", "deploy").code == 0
    yield home
    assert counterseal(home, "nginx", "stop").code == 0


def lets_in(home: Path) -> bool:
    """Whether ann gets in."""
    return meets(home, int((home.parent / "port").read_text()), "ann") != 400


@pytest.mark.parametrize(
    "damaged",
    [f"{PROBES}/good.pem", f"{PROBES}/expired.pem", "canaries/clients.pem", "sites/panel/*.pem"],
)
@pytest.mark.parametrize("kept", [0, 300])
def test_a_revocation_is_not_held_up(home: Path, damaged: str, kept: int) -> None:
    """What is damaged is made anew; before, the doctor says what it can, and no command speaks of a fault of ours."""
    paths = [path for path in home.glob(damaged) if path.is_file()]
    for path in paths:
        path.write_bytes(path.read_bytes()[:kept])
    checks = json.loads(here(home, "doctor", "--json").stdout)["checks"]
    assert "something unexpected" not in str(checks)
    revoked = counterseal(home, "revoke", "ann")
    assert (revoked.code, lets_in(home)) == (0, False), revoked.stderr
    assert paths
    assert counterseal(home, "prove").code == 0
    assert here(home, "refresh").code == 0


def test_a_probe_that_is_damaged_is_no_proof(home: Path) -> None:
    """It is said, and a refresh makes new ones."""
    (home / PROBES / "good.pem").write_bytes(b"")
    proved = counterseal(home, "prove", "--json")
    assert (proved.code, json.loads(proved.stdout)["error"]["code"]) == (1, "probe.damaged")
    assert (here(home, "refresh").code, counterseal(home, "prove").code) == (0, 0)


def test_what_nobody_foresaw_is_told_as_what_it_means(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lists are signed, and who gets in is said; a refresh makes up for it."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("counterseal.authority.deployment.gather", fail)
        revoked = here(home, "revoke", "ann", "--json")
        error = json.loads(revoked.stdout)["error"]
        assert (revoked.code, error["code"], lets_in(home)) == (1, "revoke.not_in_force", True)
        assert error["message"] == "nginx still admits ann: something unexpected happened: ZeroDivisionError"
        assert "this is a fault in Counterseal" in str(error["advice"])
        refreshed = here(home, "refresh")
        assert (refreshed.code, "no list was due\nerror: something unexpected" in refreshed.stderr) == (1, True)
    assert (counterseal(home, "refresh").code, lets_in(home)) == (0, False)
