"""What goes wrong while sites are deployed or clients locked out: the real command, a real nginx, real disks."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import dying
from command import counterseal, here
from counterseal.handshake.attempt import attempt
from counterseal.handshake.observation import Attempt, Endpoint, ProbeIdentity
from disks import fill, remount, small_disk
from ports import free_port, taken_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SITE = """\
{nginx}
[sites.panel]
server_names = ["panel.test"]
listen = {listen}
root = "/srv"
"""
OLD_NGINX = """#!/bin/sh
echo "nginx version: nginx/1.14.2" >&2
echo "built with OpenSSL 1.1.1d  10 Sep 2019" >&2
echo "TLS SNI support enabled" >&2
echo "configure arguments: --prefix=/etc/nginx --with-http_ssl_module --with-http_v2_module" >&2
"""
MUTE_NGINX = "#!/bin/sh\nexec sleep 600\n"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Return a home with a CA; its nginx is stopped in the end."""
    home = tmp_path / "home"
    assert here(home, "init", "--no-passphrase").code == 0
    yield home
    configure(home, free_port())
    here(home, "nginx", "stop")


def configure(home: Path, *ports: int, nginx: str = "") -> None:
    """Write a configuration with one site on these ports."""
    listen = json.dumps([f"127.0.0.1:{port}" for port in ports])
    (home / "counterseal.toml").write_text(SITE.format(nginx=nginx, listen=listen))


def deploy(home: Path, *, code: int = 0) -> str:
    """Deploy; return what was said on stderr."""
    ran = counterseal(home, "nginx", "deploy")
    assert ran.code == code, ran.stderr or ran.stdout
    return ran.stderr


def served(port: int) -> int | None:
    """Return the number of the generation that answers."""
    return attempt(Attempt(Endpoint("127.0.0.1", port), "panel.test", "panel.test")).generation


def program(path: Path, text: str) -> str:
    """Write a program and return the configuration that names it."""
    path.write_text(text)
    path.chmod(0o755)
    return f'[nginx]\nbinary = "{path}"\n'


def in_force(home: Path) -> list[tuple[int, bool]]:
    """Return number and whether it is in force of every generation."""
    rows: list[dict[str, Any]] = json.loads(here(home, "nginx", "generations", "--json").stdout)["generations"]
    return [(row["number"], row["in_force"]) for row in rows]


# ------------------------------------------------------------------------------------------------------- nginx


def test_no_nginx(home: Path, tmp_path: Path) -> None:
    """It is said which program was looked for; nothing is made."""
    configure(home, free_port(), nginx=f'[nginx]\nbinary = "{tmp_path}/nowhere"\n')
    assert f"nginx not found: {tmp_path}/nowhere" in deploy(home, code=1)
    assert not (home / "nginx").exists()


def test_an_nginx_that_is_too_old(home: Path, tmp_path: Path) -> None:
    """Its version is named, and the oldest that will do."""
    configure(home, free_port(), nginx=program(tmp_path / "nginx", OLD_NGINX))
    told = deploy(home, code=1)
    assert "nginx is too old: 1.14.2" in told
    assert "hint:" in told
    assert not (home / "nginx").exists()


@pytest.mark.slow
def test_an_nginx_that_never_answers(home: Path, tmp_path: Path) -> None:
    """It is not waited for without end."""
    configure(home, free_port(), nginx=program(tmp_path / "nginx", MUTE_NGINX))
    assert "took longer than 10 s" in deploy(home, code=1)
    assert not (home / "nginx").exists()


@pytest.mark.nginx
@pytest.mark.skipif(os.geteuid() != 0, reason="nginx reads the user directive as root only")
def test_a_configuration_that_nginx_refuses(home: Path) -> None:
    """Nginx's own line is quoted, and what was served is served."""
    port = free_port()
    configure(home, port)
    deploy(home)
    configure(home, port, nginx='[nginx]\nuser = "nobody-of-this-name"\n')
    told = deploy(home, code=1)
    assert 'getpwnam("nobody-of-this-name") failed' in told
    assert "generation 1 is in force, as before" in told
    assert served(port) == 1


@pytest.mark.nginx
def test_a_port_that_another_program_holds(home: Path) -> None:
    """``nginx -t`` passes it; the first deploy does not start, a later one goes back."""
    port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        configure(home, taken)
        told = deploy(home, code=1)
        assert "\n  nginx: [emerg] bind() to" in told, told
        assert "Address already in use" in told
        assert "\n  cause: another program listens there\n  fix: end it (ss -ltnp names it)" in told
        assert not json.loads(counterseal(home, "nginx", "status", "--json").stdout)["running"]
        configure(home, port)
        deploy(home)
        number = served(port)
        configure(home, port, taken)
        told = deploy(home, code=1)
        assert f"bind() to 127.0.0.1:{taken} failed" in told
        assert "\n  cause: another program listens there\n" in told
        assert served(port) == number


@pytest.mark.nginx
def test_three_deploys_at_once(home: Path) -> None:
    """They wait for each other: each has its generation, the last one serves, and its proof still holds."""
    port = free_port()
    configure(home, port)
    command = [sys.executable, "-m", "counterseal", "nginx", "deploy", "--home", str(home)]
    started = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(3)]
    told = [process.communicate(timeout=120)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], told
    assert in_force(home) == [(1, False), (2, False), (3, True)]
    assert served(port) == 3
    assert counterseal(home, "prove").code == 0


# ------------------------------------------------------------------------------------------------------- disks


@pytest.mark.nginx
def test_the_disk_of_the_generations_is_full(home: Path) -> None:
    """The old generation serves on, no half of a new one is left, and with space again the deploy goes through."""
    (home / "nginx").mkdir(mode=0o711)
    with small_disk(home / "nginx" / "generations", size=300_000) as disk:
        disk.chmod(0o711)
        port = free_port()
        configure(home, port)
        deploy(home)
        filler = fill(disk)
        told = deploy(home, code=1)
        assert "no space left on device" in told
        assert served(port) == 1
        assert sorted(path.name for path in disk.iterdir()) == ["0001", "filler"]
        filler.unlink()
        deploy(home)
        assert served(port) != 1
        counterseal(home, "nginx", "stop")


@pytest.mark.nginx
def test_the_disk_of_the_home_is_full_or_read_only(tmp_path: Path) -> None:
    """Whatever is written first fails by name; what was served is served; afterwards it goes on as if nothing was."""
    with small_disk(tmp_path / "disk") as disk:
        disk.chmod(0o711)
        home, port = disk / "home", free_port()
        assert counterseal(home, "init", "--no-passphrase").code == 0
        configure(home, port)
        deploy(home)
        filler = fill(disk)
        told = deploy(home, code=1)
        assert "full" in told or "space" in told
        assert served(port) == 1
        filler.unlink()
        counterseal(home, "nginx", "stop")  # its open log would keep the disk writable
        remount(disk, writable=False)
        assert "read-only" in deploy(home, code=1)
        remount(disk, writable=True)
        deploy(home)
        assert [number for number, current in in_force(home) if current] == [served(port)]
        counterseal(home, "nginx", "stop")


# ------------------------------------------------------------------------------------------------------- lock-out


def alice_meets(home: Path, port: int) -> int | None:
    """Return the status that alice's certificate is answered with."""
    out = home.parent / "out"
    identity = ProbeIdentity("alice", (out / "alice.fullchain.pem").read_bytes(), (out / "alice.key.pem").read_bytes())
    there = Attempt(Endpoint("127.0.0.1", port), "panel.test", "panel.test", identity=identity)
    return attempt(there).status


@pytest.mark.nginx
@pytest.mark.parametrize(
    "where",
    [
        "counterseal.cli.revoke:put_in_force",
        "counterseal.authority.publish:sign_crl",
        "counterseal.nginx.deploy:activate",
        "counterseal.nginx.deploy:prune",
    ],
    ids=["recorded", "before the lists", "before the switch", "proved"],
)
def test_killed_while_revoking(home: Path, where: str) -> None:
    """However far it came: refresh, which a timer calls, finds what is missing and locks out."""
    port = free_port()
    configure(home, port)
    deploy(home)
    assert here(home, "client", "alice", "--no-p12", "--out", str(home.parent / "out")).code == 0
    assert alice_meets(home, port) == 200
    command = [sys.executable, dying.__file__, *where.split(":"), "1", "revoke", "alice", "--home", str(home)]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environ, timeout=60)
    assert ran.returncode == -signal.SIGKILL, ran
    refreshed = counterseal(home, "refresh")
    assert refreshed.code == 0, refreshed.stderr
    assert alice_meets(home, port) == 400
    assert counterseal(home, "refresh").code == 0
    assert counterseal(home, "prove").code == 0


@pytest.mark.nginx
def test_a_revocation_by_settings_that_nginx_refuses_locks_out_by_those_before(home: Path) -> None:
    """A listen address that somebody else has holds up none: the sites stay as they are served, with new lists."""
    port = free_port()
    configure(home, port)
    deploy(home)
    assert here(home, "client", "alice", "--no-p12", "--out", str(home.parent / "out")).code == 0
    assert alice_meets(home, port) == 200
    with taken_port() as taken:
        configure(home, port, taken)
        ran = counterseal(home, "revoke", "alice", "--json")
        assert ran.code == 0, ran.stderr
        assert json.loads(ran.stdout)["settings_of_before"] is True
        assert alice_meets(home, port) == 400
        deploy(home, code=1)
    configure(home, port)
    assert counterseal(home, "refresh").code == 0
    assert alice_meets(home, port) == 400
