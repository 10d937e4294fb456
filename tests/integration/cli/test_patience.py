"""A revocation while another deploy is under way: it waits as long as that one lives, and then locks out."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from command import counterseal, here
from counterseal.nginx.lock import hold_lock
from counterseal.nginx.undo import Limits
from counterseal.nginx.waiting import system_clock
from ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.nginx
SITE = '[sites.panel]\nserver_names = ["panel.test"]\nlisten = ["127.0.0.1:{port}"]\nroot = "/srv"\n'
IMPATIENT = """\
import sys
from dataclasses import replace
from counterseal.compose import ground
from counterseal.cli.run import run
opened = ground.open_ground
def in_a_hurry(*given, **named):
    found = opened(*given, **named)
    return replace(found, place=replace(found.place, limits=replace(found.place.limits, lock=0.0)))
ground.open_ground = in_a_hurry
raise SystemExit(run(sys.argv[1:]))
"""
"""The command line with no patience at all in place of 30 s."""


@pytest.mark.parametrize("words", [("revoke", "ann"), ("refresh",)])
def test_another_deploy_is_waited_for_as_long_as_it_lives(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Its process is named meanwhile; where one waits for 30 s at most, none at all here, it would have failed."""
    home = tmp_path / "home"
    assert here(home, "init", "--no-passphrase").code == 0
    assert here(home, "client", "ann", "--no-p12", "--out", str(tmp_path / "out")).code == 0
    (home / "counterseal.toml").write_text(SITE.format(port=free_port()))
    assert counterseal(home, "nginx", "deploy").code == 0
    try:
        if words == ("refresh",):
            assert here(home, "revoke", "ann", "--no-deploy").code == 0
        with hold_lock(home / "nginx" / "deploy.lock", within=Limits().lock, clock=system_clock()):
            waiting = subprocess.Popen(
                [sys.executable, "-c", IMPATIENT, *words, "--home", str(home)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert waiting.stderr is not None
            said = ""
            while "another deploy" not in said and waiting.poll() is None:
                said += waiting.stderr.readline()
            assert "another deploy is under way, process " in said
        told, rest = waiting.communicate(timeout=120)
        assert waiting.returncode == 0, said + rest
        assert "in force and proved" in told
    finally:
        counterseal(home, "nginx", "stop")
