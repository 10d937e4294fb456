"""An nginx that serves and whose master is not found: nobody is told that a revoked client does not get in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

import one_site
from command import counterseal, here
from counterseal.nginx.proctable import children_of, read_title
from counterseal.nginx.waiting import system_clock, wait_until
from nginx_process import nginx_binary, worker_user
from own_nginx import NGINX, OWN, end, pid_in, start
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from command import Ran

__all__ = ["nginx_binary"]

pytestmark = pytest.mark.nginx


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less for the pid file of an nginx that has just been started: here every one has run for a while."""
    monkeypatch.setattr("counterseal.authority.unseen._STARTING", 0.1)


def meets(home: Path, name: str) -> str:
    """Return whether somebody's certificate is let in, refused, or there is nobody to ask."""
    status = one_site.meets(home, int((home.parent / "port").read_text()), name)
    return {None: "nobody", 400: "refused"}.get(status, "let in")


def prepare(tmp_path: Path, nginx: str = "") -> Path:
    """Return a home with ann, bob and a site."""
    home, port = tmp_path / "home", free_port()
    (tmp_path / "port").write_text(str(port))
    assert here(home, "init", "--no-passphrase").code == 0
    for name in ("ann", "bob"):
        assert here(home, "client", name, "--no-p12", "--out", str(tmp_path / "out")).code == 0
    (home / "counterseal.toml").write_text(nginx + one_site.SITE.format(port=port))
    return home


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Path]:
    """Return a home whose private nginx serves a site."""
    home = prepare(tmp_path)
    assert counterseal(home, "nginx", "deploy").code == 0
    yield home
    counterseal(home, "nginx", "stop")


def test_sites_that_are_gone_from_the_file_are_told_of_all_the_same(private: Path) -> None:
    """By refresh, which makes the generation by the settings in force, and finds nobody to read it."""
    master = pid_in(private / "nginx" / "run" / "nginx.pid")
    workers = children_of(master)
    settings = private / "counterseal.toml"
    text = settings.read_text()
    end(master)
    try:
        settings.write_text("")
        left = here(private, "revoke", "ann", "--no-deploy")
        assert "nginx was left as it is, and has none of it until: counterseal refresh" in left.stderr
        for code in (3, 2):
            refreshed = here(private, "refresh")
            assert refreshed.code == code, refreshed
            assert "generation 2 has not reached it: who is revoked since may still get in" in refreshed.stderr
    finally:
        end(*workers)
        settings.write_text(text)
    assert counterseal(private, "nginx", "deploy").code == 0
    assert (meets(private, "ann"), meets(private, "bob")) == ("refused", "let in")


@pytest.mark.parametrize(
    ("wrong", "where"), [("", []), ("tsl = 'modern'\n", ["sites.panel.tsl"])], ids=["gone", "faulty"]
)
def test_who_is_to_be_told_is_named_where_the_file_is_refused_too(private: Path, wrong: str, where: list[str]) -> None:
    """First what keeps ann locked out, then what is wrong with the file."""
    master = pid_in(private / "nginx" / "run" / "nginx.pid")
    workers = children_of(master)
    settings = private / "counterseal.toml"
    settings.write_text(settings.read_text() + wrong if wrong else "")
    end(master)
    try:
        rehearsed = here(private, "revoke", "ann", "--dry-run").stdout
        assert "would leave nginx as it is and fail: what serves the sites was not told of it" in rehearsed
        error = error_of(here(private, "revoke", "ann", "--json"))
    finally:
        end(*workers)
    first, *others = map(str, as_list(error["advice"]))
    assert first.startswith(f"end these workers, whose master is gone: kill {' '.join(map(str, workers))}; then start")
    assert [one.startswith("counterseal.toml is refused as well: ") for one in others] == [True]
    assert [one["where"] for one in as_list(error.get("findings", []))] == where


def as_list(value: object) -> list[Any]:
    """Return what is known to be a list."""
    assert isinstance(value, list)
    return value


def test_an_nginx_of_another_home_is_not_to_be_reloaded(private: Path, tmp_path: Path) -> None:
    """It took the port of one that was stopped, and reads nothing of ours."""
    assert counterseal(private, "nginx", "stop").code == 0
    other = tmp_path / "other"
    assert here(other, "init", "--no-passphrase").code == 0
    (other / "counterseal.toml").write_text((private / "counterseal.toml").read_text())
    assert counterseal(other, "nginx", "deploy").code == 0
    try:
        error = error_of(here(private, "revoke", "ann", "--json"))
        master = pid_in(other / "nginx" / "run" / "nginx.pid")
        assert str(error["advice"]).startswith(f"['another nginx has that port (kill {master} ends it): free it")
    finally:
        counterseal(other, "nginx", "stop")


def test_an_nginx_at_another_address_of_the_port_is_not_named(private: Path, tmp_path: Path) -> None:
    """It has nothing to do with ours, whose master was killed."""
    other = tmp_path / "other"
    assert here(other, "init", "--no-passphrase").code == 0
    text = (private / "counterseal.toml").read_text()
    (other / "counterseal.toml").write_text(text.replace("127.0.0.1:", "127.0.0.2:"))
    assert counterseal(other, "nginx", "deploy").code == 0
    master = pid_in(private / "nginx" / "run" / "nginx.pid")
    workers = children_of(master)
    end(master)
    try:
        error = error_of(here(private, "revoke", "ann", "--json"))
        assert "nginx: master process" not in str(error["message"])
        assert str(error["advice"]).startswith(f"['end these workers, whose master is gone: kill {workers[0]}")
    finally:
        end(*workers)
        counterseal(other, "nginx", "stop")


def error_of(ran: Ran) -> dict[str, object]:
    """Return the error that a command printed as JSON."""
    error = json.loads(ran.stdout)["error"]
    assert isinstance(error, dict)
    return error


def require_lost(home: Path, master: str, held_by: Sequence[int]) -> None:
    """Hold every command to what is so: ann, revoked now, gets in still."""
    assert here(home, "revoke", "ann", "--dry-run").code == 1
    revoked = error_of(ran := here(home, "revoke", "ann", "--json"))
    assert (ran.code, revoked["code"], meets(home, "ann")) == (1, "revoke.not_in_force", "let in")
    assert str(revoked["message"]).startswith(
        "what serves the sites was not told of it, and may still admit ann: no master"
    )
    assert all(str(pid) in str(revoked["message"]) for pid in held_by)
    assert master in str(revoked["advice"])
    for _ in range(2):
        refreshed = here(home, "refresh")
        assert refreshed.code == 3, refreshed
        assert "has not reached it: who is revoked since may still get in" in refreshed.stderr
    checks = json.loads(here(home, "doctor", "--json").stdout)["checks"]
    broken = {one["check"]: one["message"] for one in checks if one["state"] == "broken"}
    assert broken["nginx"].startswith("no master of nginx is found in ")
    assert "generation 1 answers" in broken["served"]
    assert "no master of nginx is found in " in here(home, "nginx", "status").stdout
    deployed = error_of(here(home, "nginx", "deploy", "--json"))
    assert (deployed["code"], meets(home, "ann")) == ("nginx.unseen", "let in")


def test_a_private_nginx_is_found_without_its_pid_file(private: Path) -> None:
    """It is reloaded and stopped as ever: its arguments are its own."""
    (private / "nginx" / "run" / "nginx.pid").unlink()
    ran = counterseal(private, "revoke", "ann")
    assert (ran.code, meets(private, "ann"), meets(private, "bob")) == (0, "refused", "let in"), ran.stderr
    assert ran.stdout.startswith("in force and proved: generation 2")
    assert (counterseal(private, "nginx", "stop").code, meets(private, "bob")) == (0, "nobody")


def test_workers_whose_master_was_killed_are_named(private: Path) -> None:
    """Once they are ended the next start has the revocation."""
    master = pid_in(private / "nginx" / "run" / "nginx.pid")
    workers = children_of(master)
    end(master)
    try:
        require_lost(private, f"kill {' '.join(map(str, workers))}", workers)
        stopped = error_of(counterseal(private, "nginx", "stop", "--json"))
        assert stopped["code"] == "nginx.unseen"
    finally:
        end(*workers)
    assert counterseal(private, "nginx", "deploy").code == 0
    assert (meets(private, "ann"), meets(private, "bob")) == ("refused", "let in")


Own = tuple["Path", "Path", "Callable[[str], None]"]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Path, Path, Callable[[str], None]]]:
    """Return a home, the directory of the user's own nginx, and what writes its configuration with another pid file."""
    run = tmp_path / "run"
    run.mkdir()
    home = prepare(tmp_path, f'[nginx]\nbinary = "{NGINX}"\nconfig = "{run}/nginx.conf"\n')
    user = f"user {worker_user()};" if worker_user() else ""

    def write(name: str) -> None:
        (run / "nginx.conf").write_text(OWN.format(user=user, run=run, home=home, name=name))

    write("nginx")
    yield home, run, write
    for path in run.glob("*.pid"):
        master = int(path.read_text() or "0")  # nginx -t leaves an empty file, and one in a namespace is 1 there
        if read_title(master).startswith("nginx: master process") and str(run) in read_title(master):
            for pid in (master, *children_of(master)):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("way", ["no pid file", "another pid file"])
def test_an_nginx_of_the_user_whose_pid_file_is_another(own: Own, way: str) -> None:
    """What is to be done by hand is named; after that all is proved, and the state still told until it is mended."""
    home, run, write = own
    master = start(run)
    (run / "kept.pid").write_text(str(master))
    assert counterseal(home, "nginx", "deploy").code == 0
    if way == "no pid file":
        (run / "nginx.pid").unlink()
    else:
        write("other")
    require_lost(home, f"kill -HUP {master}", [master])
    os.kill(master, signal.SIGHUP)
    assert wait_until(lambda: meets(home, "ann") == "refused", within=30, clock=system_clock())
    if way == "no pid file":
        proved = counterseal(home, "refresh")
        assert (proved.code, "generation 2 is proved" in proved.stderr) == (3, True), proved.stderr
        (run / "nginx.pid").write_text(str(master))
    assert (counterseal(home, "refresh").code, meets(home, "ann"), meets(home, "bob")) == (0, "refused", "let in")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a namespace of processes")
def test_an_nginx_in_another_namespace_of_processes(own: Own) -> None:
    """Its pid file has the number that it has there; so it is in containers that share the directories."""
    home, run, _ = own
    command = [NGINX, "-c", str(run / "nginx.conf"), "-e", str(run / "error.log")]
    end_of_first = start(run)
    assert counterseal(home, "nginx", "deploy").code == 0
    end(*(end_of_first, *children_of(end_of_first)))
    (run / "nginx.pid").unlink()
    apart = subprocess.Popen(["unshare", "--pid", "--fork", "--mount-proc", *command, "-g", "daemon off;"])
    try:
        assert wait_until(lambda: meets(home, "ann") == "let in", within=30, clock=system_clock())
        (master,) = children_of(apart.pid)
        require_lost(home, f"kill -HUP {master}", [master])
    finally:
        end(*children_of(apart.pid))
        apart.wait(30)


def test_sites_of_an_nginx_that_is_down_may_be_gone_from_the_file(own: Own) -> None:
    """That is no fault of a refresh; whoever starts it serves them, so doctor asks what is meant."""
    home, run, _ = own
    master = start(run)
    settings = home / "counterseal.toml"
    assert counterseal(home, "nginx", "deploy").code == 0
    settings.write_text(settings.read_text().partition("[sites.")[0])
    for code in (2, 0):
        refreshed = counterseal(home, "refresh")
        assert (refreshed.code, "and nothing is served" in refreshed.stderr) == (code, code == 0), refreshed.stderr
        checks = json.loads(here(home, "doctor", "--json").stdout)["checks"]
        (line,) = [one for one in checks if one["check"] == "generation"]
        assert line["state"] == ("broken" if code else "attention")
        assert line["message"].endswith("of sites that counterseal.toml no longer names: panel")
        assert f"rm {home}/nginx/current" in line["mend"]
        if code:
            end(master, *children_of(master))
