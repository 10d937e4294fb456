"""Another nginx serves sites of a home beside the one that is deployed to: a revocation that it was not told of."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
from typing import TYPE_CHECKING

import pytest

import one_site
from command import counterseal, here
from counterseal.nginx.proctable import every_pid, read_title
from counterseal.nginx.waiting import system_clock, wait_until
from nginx_process import nginx_binary, worker_user
from own_nginx import NGINX, OWN, pid_in, start
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["nginx_binary"]

pytestmark = pytest.mark.nginx


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Return a home with ann and bob, and end whatever nginx was started for it."""
    home, run = tmp_path / "home", tmp_path / "run"
    run.mkdir()
    assert here(home, "init", "--no-passphrase").code == 0
    for name in ("ann", "bob"):
        assert here(home, "client", name, "--no-p12", "--out", str(tmp_path / "out")).code == 0
    user = f"user {worker_user()};" if worker_user() else ""
    (run / "nginx.conf").write_text(OWN.format(user=user, run=run, home=home, name="nginx"))
    yield home
    for pid in every_pid():
        title = read_title(pid)
        if title.startswith("nginx: master") and str(tmp_path) in title:
            os.killpg(os.getpgid(pid), signal.SIGKILL)


def write(home: Path, port: int, *, own: bool) -> None:
    """Have the site listen on a port of a private nginx, or of the user's own."""
    nginx = f'[nginx]\nbinary = "{NGINX}"\nconfig = "{home.parent}/run/nginx.conf"\n' if own else ""
    (home / "counterseal.toml").write_text(nginx + one_site.SITE.format(port=port))


def require_told(home: Path, master: int) -> None:
    """Hold every command to what is so: another nginx has not the revocation of ann. Then do what they say."""
    code, message = refusal(home, "revoke", "ann")
    assert (code, "not every nginx was told of it, and one may still admit ann: another nginx" in message) == (
        "revoke.not_in_force",
        True,
    ), message
    assert f"nginx: master process {NGINX}" in message
    assert f": {master}" in message
    refreshed = here(home, "refresh", "--json")
    assert (refreshed.code, json.loads(refreshed.stdout)["another_nginx"]) == (3, True), refreshed.stderr
    assert "who was revoked since gets in there" in refreshed.stderr
    rehearsed = here(home, "revoke", "bob", "--dry-run")
    assert (rehearsed.code, "would fail: not every nginx" in rehearsed.stdout) == (1, True), rehearsed.stdout
    hint = next(line for line in refreshed.stderr.splitlines() if line.startswith("hint: end it: kill -QUIT "))
    pids = shlex.split(hint.removeprefix("hint: end it: ").partition(";")[0])[2:]
    assert pids == [str(master)]
    os.kill(master, signal.SIGQUIT)
    assert wait_until(lambda: not read_title(master), within=30, clock=system_clock())


def refusal(home: Path, *words: str) -> tuple[str, str]:
    """Return code and message of the error that a command ends in."""
    ran = counterseal(home, *words, "--json")
    assert ran.code == 1, ran
    error = json.loads(ran.stdout)["error"]
    return error["code"], error["message"]


def test_the_private_nginx_that_the_sites_moved_away_from(home: Path) -> None:
    """It runs on as it was: the deploy to the user's own says so, and so does each revocation until it is ended."""
    before, after = free_port(), free_port()
    start(home.parent / "run")
    write(home, before, own=False)
    assert counterseal(home, "nginx", "deploy").code == 0
    private = pid_in(home / "nginx" / "run" / "nginx.pid")
    write(home, after, own=True)
    moved = counterseal(home, "nginx", "deploy")
    assert (moved.code, "another nginx serves sites of this home" in moved.stderr) == (0, True), moved.stderr
    require_told(home, private)
    assert [one_site.meets(home, port, "ann") for port in (before, after)] == [None, 400]
    assert (here(home, "refresh").code, counterseal(home, "revoke", "bob").code) == (0, 0)


def test_the_private_nginx_in_whose_place_the_users_own_is_to_be_started(home: Path) -> None:
    """It is to be ended, not reloaded, and its number is none for the pid file of the other."""
    port = free_port()
    write(home, port, own=False)
    assert counterseal(home, "nginx", "deploy").code == 0
    private = pid_in(home / "nginx" / "run" / "nginx.pid")
    write(home, port, own=True)
    error = json.loads(here(home, "nginx", "deploy", "--json").stdout)["error"]
    told = f"the private nginx of before has that port: end it (kill -QUIT {private}), then start yours: {NGINX} -c "
    assert (error["code"], error["hint"].startswith(told)) == ("nginx.unseen", True), error
    os.kill(private, signal.SIGQUIT)
    assert wait_until(lambda: not read_title(private), within=30, clock=system_clock())
    start(home.parent / "run")
    assert (counterseal(home, "nginx", "deploy").code, one_site.meets(home, port, "ann")) == (0, 200)


def test_the_master_of_before_while_its_binary_is_upgraded(home: Path) -> None:
    """Both serve on the same sockets (nginx's USR2) until the old one is ended."""
    port, run = free_port(), home.parent / "run"
    old = start(run)
    write(home, port, own=True)
    assert counterseal(home, "nginx", "deploy").code == 0
    os.kill(old, signal.SIGUSR2)
    for name in ("nginx.pid.oldbin", "nginx.pid"):
        assert wait_until((run / name).exists, within=30, clock=system_clock())
    ran = counterseal(home, "revoke", "ann")  # whoever of them answers the proof
    assert ran.code == 1, ran.stderr
    assert f"another nginx serves sites of this home, as they were: nginx: master process {NGINX} " in ran.stderr
    assert f"end it: kill -QUIT {old};" in ran.stderr
    checks = json.loads(here(home, "doctor", "--no-proof", "--json").stdout)["checks"]
    told = [one for one in checks if one["message"].startswith("another nginx serves sites of this home")]
    assert [f"kill -QUIT {old};" in one["mend"] for one in told] == [True]
    os.kill(old, signal.SIGQUIT)
    assert wait_until(lambda: not read_title(old), within=30, clock=system_clock())
    assert (here(home, "refresh").code, one_site.meets(home, port, "ann")) == (0, 400)


def test_an_nginx_that_runs_on_after_its_home_was_restored(home: Path) -> None:
    """No generation is in force there, and still somebody gets in."""
    port, sealed = free_port(), home.parent / "backup"
    write(home, port, own=False)
    assert counterseal(home, "nginx", "deploy").code == 0
    master = pid_in(home / "nginx" / "run" / "nginx.pid")
    secret = home.parent / "secret"
    secret.touch(mode=0o600)
    secret.write_text("correct horse\n")
    assert counterseal(home, "backup", str(sealed), "--passphrase-file", str(secret)).code == 0
    shutil.rmtree(home)
    assert counterseal(home, "restore", str(sealed), "--passphrase-file", str(secret)).code == 0
    require_told(home, master)
    assert (here(home, "refresh").code, one_site.meets(home, port, "ann")) == (0, None)
