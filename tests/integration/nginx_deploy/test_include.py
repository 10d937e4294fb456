"""The user's own nginx, started by the user: it reads one file of ours, and every other byte stays as it was."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from counterseal.errors import DeployError, NginxError
from counterseal.nginx.binary import read_version
from counterseal.nginx.deploy import deploy, mend
from counterseal.nginx.generations import Directories, read_current, read_generation
from counterseal.nginx.process import NginxProcess
from counterseal.nginx.proctable import read_title
from counterseal.nginx.target import HTTP_FILE, running_target
from counterseal.nginx.undo import Place
from counterseal.nginx.version import parse_version
from counterseal.nginx.waiting import wait_until
from integration.nginx_deploy.bench import CLOCK, LIMITS, Bench
from integration.nginx_deploy.forked import KILLED, die, run_forked
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from counterseal.fileset import PlannedFile
    from counterseal.nginx.target import Target

pytestmark = pytest.mark.nginx

CONF = """\
{user}
worker_processes 1;
pid {tree}/nginx.pid;
error_log {tree}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {tree}/body;
  proxy_temp_path {tree}/proxy;
  fastcgi_temp_path {tree}/fastcgi;
  uwsgi_temp_path {tree}/uwsgi;
  scgi_temp_path {tree}/scgi;
  server {{ listen 127.0.0.1:{port}; return 200 "the user's own"; }}
  {more}
}}
"""


@dataclass
class UserNginx:
    """An nginx as a user has it, with a site of its own and a ``conf.d``, and our base beside it."""

    tree: Path
    binary: Path
    bench: Bench
    port: int

    @property
    def conf(self) -> Path:
        """Its main configuration."""
        return self.tree / "nginx.conf"

    @property
    def include_file(self) -> Path:
        """The one file that may be ours."""
        return self.tree / "conf.d/counterseal.conf"

    def write(self, more: str) -> None:
        """Write its main configuration with ``more`` in the http block."""
        user = "user root;" if os.geteuid() == 0 else ""
        self.conf.write_text(CONF.format(tree=self.tree, port=self.port, user=user, more=more))

    def start(self) -> None:
        """Start it as a user does."""
        subprocess.run([self.binary, "-c", self.conf, "-e", self.tree / "error.log"], check=True)
        assert wait_until(lambda: bool(self.place.nginx.worker_pids()), within=30, clock=CLOCK)

    @property
    def target(self) -> Target:
        """What we find out about it."""
        version = parse_version(read_version(self.binary))
        return running_target(
            self.binary,
            version,
            conf=self.conf,
            include_file=self.include_file,
            unit="nginx",
            included=(HTTP_FILE,),
        )

    @property
    def place(self) -> Place:
        """Where deploys go."""
        return Place(self.bench.base, NginxProcess(self.target, CLOCK), self.bench.answers, LIMITS)

    def deploy(self, *, install: bool = False, may_rest: bool = False) -> int:
        """Deploy the site of the bench into it and return the generation's number."""
        return deploy(
            self.bench.files,
            place=self.place,
            prove=self.bench.prove,
            reason="a test",
            install=install,
            may_rest=may_rest,
            on_step=self.bench.on_step,
        ).generation

    def user_bytes(self) -> dict[str, bytes]:
        """Return every file of the user, by its path."""
        kept = (path for path in self.tree.rglob("*") if path.suffix == ".conf" and path != self.include_file)
        return {str(path): path.read_bytes() for path in kept}


@pytest.fixture
def user(binary: Path, tmp_path: Path) -> Iterator[UserNginx]:
    """Give a user's nginx that runs already."""
    tree = tmp_path / "etc"
    (tree / "conf.d").mkdir(parents=True)
    made = UserNginx(tree, binary, Bench(tmp_path / "base", binary), free_port())
    made.write(f"include {tree}/conf.d/*.conf;")
    made.start()
    yield made
    master = made.place.nginx.master_pid()
    if master:
        os.kill(master, signal.SIGTERM)
        assert wait_until(lambda: not read_title(master), within=30, clock=CLOCK)


def test_the_include_file_is_made_when_asked_and_only_that(user: UserNginx) -> None:
    """After that deploys need no word; the user's files keep every byte, and the master its number."""
    before, master = user.user_bytes(), user.place.nginx.master_pid()
    assert user.deploy(install=True) == 1
    assert user.bench.served() == 1
    assert user.deploy() == 2
    assert (user.bench.served(), user.user_bytes(), user.place.nginx.master_pid()) == (2, before, master)
    assert user.include_file.read_text().endswith(f"include {user.bench.base}/current/http.con[f];\n")
    assert user.bench.litter() == []


def test_without_being_asked_the_line_is_told_and_nothing_made(user: UserNginx) -> None:
    """Put into the http block by hand, that very line makes the next deploy succeed."""
    with pytest.raises(NginxError) as caught:
        user.deploy()
    assert caught.value.code == "nginx.not_included"
    line = (caught.value.hint or "").rpartition(": ")[2]
    assert not user.include_file.exists()
    assert not Directories(user.bench.base).generations.exists()
    user.write(line)
    assert user.deploy() == 1
    assert user.bench.served() == 1


def test_a_line_that_names_the_file_outright_does_as_well(user: UserNginx) -> None:
    """Before the first deploy nginx refuses it for the missing file, which is no reason to refuse the deploy."""
    user.write(f"include {user.bench.base}/current/http.conf;")
    assert user.deploy() == 1
    assert (user.deploy(), user.bench.served()) == (2, 2)


@pytest.mark.parametrize("failure", ["test", "proof"])
def test_a_failed_first_deploy_takes_the_include_file_away_again(user: UserNginx, failure: str) -> None:
    """The user's nginx runs on, on its own configuration, and would start again."""
    before, master = user.user_bytes(), user.place.nginx.master_pid()
    if failure == "test":
        user.bench.extra = "nonsense;"
    else:
        user.bench.refuse = True
    with pytest.raises(DeployError) as caught:
        user.deploy(install=True)
    assert caught.value.code == f"deploy.{failure}_failed"
    assert not user.include_file.exists()
    assert (read_current(user.bench.base), user.bench.served()) == (None, None)
    assert (user.user_bytes(), user.place.nginx.master_pid()) == (before, master)
    assert user.bench.litter() == []


@pytest.mark.parametrize("step", ["switch", "test", "reload", "answer", "prove", "commit"])
def test_killed_in_the_first_deploy_the_include_file_goes_as_well(user: UserNginx, step: str) -> None:
    """The next command takes away what the journal names, and the user's nginx serves its own site."""
    before = user.user_bytes()
    user.bench.on_step = lambda now: die() if now == step else None
    assert run_forked(lambda: user.deploy(install=True)) == KILLED
    user.bench.on_step = lambda _: None
    mend(user.place)
    assert (user.include_file.exists(), user.bench.served(), user.user_bytes()) == (False, None, before)
    assert user.bench.litter() == []
    assert user.deploy(install=True) == 2


def test_a_configuration_that_the_user_broke_is_told_as_such(user: UserNginx) -> None:
    """It is not our deploy that failed, and nothing of ours was written."""
    user.write("a_mistake;")
    with pytest.raises(NginxError, match="before anything of ours was added") as caught:
        user.deploy(install=True)
    assert caught.value.code == "nginx.test_failed"
    assert 'unknown directive "a_mistake"' in (caught.value.quote or "")
    assert not Directories(user.bench.base).generations.exists()


def test_a_file_of_the_user_in_the_place_of_ours_is_not_touched(user: UserNginx) -> None:
    """Its bytes stay."""
    user.include_file.write_text("# mine\n")
    with pytest.raises(NginxError) as caught:
        user.deploy(install=True)
    assert caught.value.code == "nginx.include_taken"
    assert user.include_file.read_text() == "# mine\n"


def test_an_include_file_that_nginx_would_not_read_is_not_made(user: UserNginx) -> None:
    """The directory is not one that the user's configuration includes; one by another name is."""
    user.write("")
    with pytest.raises(NginxError, match=r"no include of .* names the include file") as caught:
        user.deploy(install=True)
    assert caught.value.code == "nginx.not_included"
    assert (caught.value.hint or "").endswith(f"include {user.bench.base}/current/http.con[f];")
    assert not user.include_file.exists()
    assert not Directories(user.bench.base).generations.exists()
    (user.tree / "also").symlink_to("conf.d")
    user.write(f"include {user.tree}/also/*.conf;")
    assert user.deploy(install=True) == 1


def test_a_conflict_that_the_user_had_before_is_not_held_against_the_deploy(user: UserNginx) -> None:
    """But one that our site brings is."""
    twice = f"server {{ listen 127.0.0.1:{free_port()}; server_name x.test; }}"
    user.write(f"{twice} {twice} include {user.tree}/conf.d/*.conf;")
    assert user.deploy(install=True) == 1
    user.write(f"{twice} {twice} include {user.tree}/conf.d/*.conf; {_taking(user.bench)}")
    with pytest.raises(DeployError, match=r'conflicting server name "site.test"'):
        user.deploy()


def test_a_stopped_nginx_of_the_user_is_not_started(user: UserNginx) -> None:
    """That is the user's or systemd's to do."""
    user.place.nginx.stop(within=30)
    with pytest.raises(NginxError) as caught:
        user.deploy(install=True)
    assert caught.value.code == "nginx.not_running"
    assert caught.value.hint == f"start it ({user.target.start}) and run this again"


def test_what_locks_out_waits_for_a_stopped_nginx_of_the_user(user: UserNginx) -> None:
    """It is tested and found by the next start; what nginx refuses goes back; one that runs again is reloaded."""
    user.deploy(install=True)
    user.place.nginx.stop(within=30)
    assert user.deploy(may_rest=True) == 2
    assert (read_current(user.bench.base), user.place.nginx.master_pid()) == (2, None)
    user.bench.extra = "nonsense;"
    with pytest.raises(DeployError) as caught:
        user.deploy(may_rest=True)
    assert (caught.value.code, read_current(user.bench.base)) == ("deploy.test_failed", 2)
    user.bench.extra = ""
    user.start()
    assert user.bench.served() == 2
    assert user.deploy(may_rest=True) == 4
    assert (user.bench.served(), read_generation(user.bench.base, 4).proven) == (4, True)


def test_one_that_is_started_meanwhile_is_reloaded(user: UserNginx) -> None:
    """It may have read the link before it was switched."""
    user.deploy(install=True)
    user.place.nginx.stop(within=30)
    user.bench.on_step = lambda step: user.start() if step == "switch" else None
    assert user.deploy(may_rest=True) == 2
    assert (user.bench.served(), read_generation(user.bench.base, 2).proven) == (2, True)


def _taking(bench: Bench) -> str:
    certificate: PlannedFile = bench.files(1)["site.cert.pem"]
    key: PlannedFile = bench.files(1)["site.key.pem"]
    for file in (certificate, key):
        (bench.base / file.path).write_bytes(file.content)
    pair = f"ssl_certificate {bench.base}/site.cert.pem; ssl_certificate_key {bench.base}/site.key.pem;"
    return f"server {{ listen 127.0.0.1:{bench.port} ssl; server_name site.test; {pair} }}"
