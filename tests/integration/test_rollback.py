"""A rollback after ``counterseal.toml`` has changed: an older generation is proved by the sites it was made for."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from command import counterseal, here
from counterseal.handshake.attempt import attempt
from counterseal.handshake.observation import Attempt, Endpoint
from one_site import SITE
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.nginx


@pytest.fixture
def stricter(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """Return a home whose second generation is stricter than the first one, and the port."""
    home, port = tmp_path / "home", free_port()
    assert here(home, "init", "--no-passphrase").code == 0
    for more in ("", 'tls = "modern"\n'):
        (home / "counterseal.toml").write_text(SITE.format(port=port) + more)
        assert counterseal(home, "nginx", "deploy").code == 0
    yield home, port
    (home / "counterseal.toml").write_text(SITE.format(port=port))
    counterseal(home, "nginx", "stop")


def speaks_old(port: int) -> bool:
    """Whether TLS 1.2 is spoken."""
    asked = Attempt(Endpoint("127.0.0.1", port), "panel.test", "panel.test", tls_version="1.2")
    return attempt(asked).tls_version is not None


@pytest.mark.parametrize("is_running", [True, False], ids=["running", "stopped"])
def test_back_before_a_stricter_setting_and_forward_again(stricter: tuple[Path, int], *, is_running: bool) -> None:
    """Either way it passes its proof, also where today's sites are faulty by then."""
    home, port = stricter
    assert not speaks_old(port)
    if not is_running:
        assert here(home, "nginx", "stop").code == 0
    back = counterseal(home, "nginx", "rollback")
    assert (back.code, back.stdout[:36]) == (0, "generation 1 is in force and proved,"), back.stderr
    assert speaks_old(port)
    assert told_of_settings(home)
    (home / "counterseal.toml").write_text(SITE.format(port=port) + "tsl = 1\n")
    forth = counterseal(home, "nginx", "rollback", "--to", "2", "--json")
    assert (forth.code, json.loads(forth.stdout)["generation"]) == (0, 2), forth.stderr
    assert not speaks_old(port)
    (home / "counterseal.toml").write_text(SITE.format(port=port) + 'tls = "modern"\n')
    assert not told_of_settings(home), "whenever the file was written"


def told_of_settings(home: Path) -> bool:
    """Whether the doctor says that the generation in force was made by another file than today's."""
    return "it was made by another counterseal.toml than today's" in here(home, "doctor", "--no-proof").stdout


def test_one_that_kept_no_settings_is_proved_by_those_of_today(stricter: tuple[Path, int]) -> None:
    """As all were once."""
    home, port = stricter
    first = home / "nginx" / "generations" / "0001"
    manifest = json.loads((first / "manifest.json").read_text())
    del manifest["files"]["counterseal.toml"]
    (first / "manifest.json").write_text(json.dumps(manifest))
    (first / "counterseal.toml").unlink()
    refused = counterseal(home, "nginx", "rollback", "--json")
    assert (refused.code, json.loads(refused.stdout)["error"]["code"]) == (1, "deploy.proof_failed")
    (home / "counterseal.toml").write_text(SITE.format(port=port))
    assert counterseal(home, "nginx", "rollback").code == 0


@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["done", "rehearsed"])
def test_none_of_another_home_comes_back_in_a_copy(stricter: tuple[Path, int], dry: list[str]) -> None:
    """It names its files in the home that was copied: nginx was started with what lies there now."""
    home, _ = stricter
    assert here(home, "nginx", "stop").code == 0
    copy = shutil.copytree(home, home.with_name("copy"), symlinks=True)
    refused = counterseal(copy, "nginx", "rollback", "--json", *dry)
    assert (refused.code, json.loads(refused.stdout)["error"]["code"]) == (1, "deploy.made_elsewhere"), refused.stderr
    assert counterseal(copy, "nginx", "deploy").code == 0
    assert counterseal(copy, "nginx", "stop").code == 0
