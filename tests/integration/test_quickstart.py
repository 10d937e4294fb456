"""The main job from nothing to a proved lock-out, as a newcomer runs it, with a real nginx."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from architecture.source_tree import ROOT


@pytest.mark.nginx
def test_quickstart_proves_mutual_tls_and_a_lock_out(tmp_path: Path) -> None:
    """It ends with 0, every look at alice is as expected, and nginx is stopped again."""
    place = tmp_path / "demo"
    command = [sys.executable, "-m", "counterseal", "quickstart", "--dir", str(place), "--stop", "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert document["passed"] is True
    seen = [(row["client"], row["seen"].split()[0:2]) for row in document["revoked"]]
    assert [look for look in seen if "before" in look[0] and "session" not in look[0]]
    refused = [look for look in document["revoked"] if look["client"] != "alice before"]
    assert len(refused) == 4
    assert all(look["seen"] == "HTTP 400 FAILED:certificate revoked" for look in refused)
    assert not (place / "home" / "nginx" / "run" / "nginx.pid").exists()


@pytest.mark.nginx
def test_quickstart_never_clears_a_directory_that_is_not_its_own(tmp_path: Path) -> None:
    """A directory with somebody's files in it is refused and stays as it is."""
    (tmp_path / "mine").write_text("precious")
    command = [sys.executable, "-m", "counterseal", "quickstart", "--dir", str(tmp_path), "--stop"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=dict(os.environ))
    assert ran.returncode == 2
    assert "not made by quickstart" in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_where_nothing_can_be_installed_it_is_said_what_is_missing(tmp_path: Path) -> None:
    """No Python, no apt, no sudo: ./quickstart names the packages and begins nothing (the rest: fresh_machine.sh)."""
    checkout, tools = tmp_path / "checkout", tmp_path / "tools"
    (checkout / "scripts").mkdir(parents=True)
    tools.mkdir()
    for name in ("quickstart", "scripts/setup.sh"):
        shutil.copy(ROOT / name, checkout / name)
    for name in ("sh", "dirname"):
        (tools / name).symlink_to(shutil.which(name) or name)
    ran = subprocess.run(
        [tools / "sh", checkout / "quickstart"],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[:2] == [
        "error: Python 3.11 or newer with venv is missing: no python3 found",
        "hint: as root: apt-get install python3 python3-venv",
    ]
    assert sorted(path.name for path in checkout.iterdir()) == ["quickstart", "scripts"]


HIDE = 'mount --bind /dev/null /usr/sbin/nginx; exec "$@"'
WITHOUT_WHEEL = (
    "import importlib.metadata as m; m.files = lambda _: []; from counterseal.cli.run import run; exit(run())"
)


def test_quickstart_without_an_nginx_does_what_needs_none(tmp_path: Path) -> None:
    """Where neither the system nor Python has one, it says so, with what was made all the same, and ends with 1."""
    place = tmp_path / "demo"
    command = [sys.executable, "-c", WITHOUT_WHEEL, "quickstart", "--dir", str(place), "--stop"]
    unshare, shell = shutil.which("unshare") or "unshare", shutil.which("sh") or "sh"
    hidden = [unshare, "--mount", "--map-root-user", shell, "-c", f"PATH={os.environ['PATH']}; {HIDE}", "sh", "env"]
    if not Path("/usr/sbin/nginx").exists():
        hidden = ["env"]
    ran = subprocess.run(
        [*hidden, f"PATH={tmp_path}", *command], capture_output=True, text=True, timeout=60, check=False
    )
    if "unshare" in ran.stderr:
        pytest.skip(f"a machine without nginx needs a mount namespace: {ran.stderr.strip()}")
    assert ran.returncode == 1, ran.stderr
    assert "nginx not found" in ran.stdout
    assert "apt install nginx" in ran.stdout
    assert (place / "handout" / "alice.p12").is_file()
    assert (place / "home" / "store.sqlite").is_file()
    assert not (place / "home" / "nginx").exists()
