"""``counterseal doctor`` about what the sites lead to: alive, dead, mute, or closed to nginx, as nginx meets it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from command import counterseal, here
from integration.nginx.upstreams import echo
from nginx_process import nginx_binary
from one_site import meets
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.nginx

__all__ = ["nginx_binary"]

SITES = """\
[nginx]
binary = "{nginx}"
[sites.panel]
server_names = ["panel.test"]
listen = ["127.0.0.1:{port}"]
upstream = "unix:{base}/app.sock"
[[sites.panel.locations]]
path = "/files"
upstream = "127.0.0.1:{files}"
[sites.db]
kind = "stream"
server_names = ["db.test"]
listen = ["127.0.0.1:{stream}"]
upstream = "localhost:{db}"
[sites.pages]
server_names = ["pages.test"]
listen = ["127.0.0.1:{port}"]
root = "/srv"
"""


@pytest.fixture
def base() -> Iterator[Path]:
    """Return a directory through which nginx's workers may pass, and a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="cs-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


@pytest.fixture
def ports() -> dict[str, int]:
    """Choose where the sites listen, and what they lead to."""
    return {name: free_port() for name in ("port", "stream", "files", "db")}


@pytest.fixture
def home(base: Path, ports: dict[str, int], nginx_binary: Path) -> Iterator[Path]:
    """Deploy the sites for a client, with nothing behind them; stop their nginx in the end."""
    home = base / "home"
    assert here(home, "init", "--no-passphrase").code == 0
    home.chmod(0o711)
    (home / "counterseal.toml").write_text(SITES.format(nginx=nginx_binary, base=base, **ports))
    assert here(home, "client", "ann", "--no-p12", "--out", str(base / "out")).code == 0
    deployed = counterseal(home, "nginx", "deploy")
    assert deployed.code == 0, deployed.stderr
    yield home
    counterseal(home, "nginx", "stop")


def _lines(home: Path, *site: str) -> dict[str, list[tuple[str, str, str | None]]]:
    """Return state, message and mend of all lines about upstreams, by site."""
    ran = counterseal(home, "doctor", "--no-proof", "--json", *site)
    lines: dict[str, list[tuple[str, str, str | None]]] = {}
    for one in json.loads(ran.stdout)["checks"]:
        if one["check"] == "upstream":
            lines.setdefault(one["subject"], []).append((one["state"], one["message"], one["mend"]))
    if any(state == "attention" for found in lines.values() for state, _, _ in found):
        assert ran.code == 3, ran
    return lines


def _answer(home: Path, ports: dict[str, int], path: str) -> int | None:
    return meets(home, ports["port"], "ann", path=path)


def test_dead_and_alive(home: Path, base: Path, ports: dict[str, int]) -> None:
    """Each that takes no connection is a line, also that of a location and of a stream; a site of files has none."""
    assert _answer(home, ports, "/") == 502
    dead = _lines(home)
    assert {name: [state for state, _, _ in found] for name, found in dead.items()} == {
        "panel": ["attention", "attention"],
        "db": ["attention"],
    }
    app, place = dead["panel"]
    missing = f"no connection to unix:{base}/app.sock: no such file or directory; nginx answers 502 to"
    assert app[1].startswith(missing)
    assert place[1].startswith(f"no connection to 127.0.0.1:{ports['files']}: connection refused; nginx answers 502 to")
    assert dead["db"][0][1].endswith("connection refused; nginx closes the connection of whoever is led there")
    assert str(place[2]).startswith(f"start what should listen at 127.0.0.1:{ports['files']}, or ")
    db = socket.create_server(("127.0.0.1", ports["db"]))
    files = socket.create_server(("127.0.0.1", ports["files"]))
    with db, files, echo(base / "app.sock"):
        (base / "app.sock").chmod(0o666)
        told = f"connections are taken at unix:{base}/app.sock, 127.0.0.1:{ports['files']}"
        assert _lines(home, "panel") == {"panel": [("ok", told, None)]}
        files.settimeout(30)
        with files.accept()[0] as line:
            assert line.recv(1) == b"", "something was sent"
        assert _lines(home)["db"][0][0] == "ok"
        assert _answer(home, ports, "/") == 200
    assert _lines(home)["panel"][0][1].startswith(f"no connection to unix:{base}/app.sock: connection refused;")
    assert counterseal(home, "nginx", "stop").code == 0
    assert _lines(home) == {}, "nobody is led anywhere"


def test_one_that_does_not_answer(home: Path, ports: dict[str, int]) -> None:
    """Its queue is full, so that the kernel drops what comes; nginx waits longer, and says so in another number."""
    with socket.create_server(("127.0.0.1", ports["files"]), backlog=0), ExitStack() as stack:
        for _ in range(4):
            line = stack.enter_context(socket.socket())
            line.setblocking(False)
            line.connect_ex(("127.0.0.1", ports["files"]))
        _, (state, message, _) = _lines(home)["panel"]
        assert (state, "timed out; nginx answers 504" in message) == ("attention", True), message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's nginx has workers of another user")
def test_a_socket_that_nginx_may_not_open(home: Path, base: Path, ports: dict[str, int]) -> None:
    """Root may, which tells nothing: what nginx answers and what the doctor says agree, before and after the mend."""
    with echo(base / "app.sock"):
        (base / "app.sock").chmod(0o660)
        assert _answer(home, ports, "/") == 502
        state, message, mend = _lines(home)["panel"][0]
        assert (state, "permission denied; nginx answers 502" in message) == ("attention", True), message
        assert str(mend).startswith(f"let the user of nginx's workers write to {base}/app.sock")
        (base / "app.sock").chmod(0o666)
        assert _answer(home, ports, "/") == 200
        assert "app.sock" not in str(_lines(home)["panel"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's nginx has workers of another user")
def test_who_cannot_act_as_nginx_says_nothing_of_its_sockets(home: Path, base: Path) -> None:
    """Whether nginx may open it, nobody knows then; what is reached by TCP is told."""
    doctor = [sys.executable, "-m", "counterseal", "doctor", "panel", "--no-proof", "--json", "--home", str(home)]
    limited = ["setpriv", "--bounding-set=-setuid", *doctor]
    with echo(base / "app.sock"):
        ran = subprocess.run(limited, capture_output=True, text=True, timeout=120, check=False)
    told = [one["message"] for one in json.loads(ran.stdout)["checks"] if one["check"] == "upstream"]
    assert [message.startswith("no connection to 127.0.0.1:") for message in told] == [True], ran
