"""Stream sites in a user's own nginx: one more line in his configuration, and his own ports are left to him."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from command import counterseal
from ports import free_port
from whole_answers import read_to_end

if TYPE_CHECKING:
    from collections.abc import Iterator

NGINX = Path("/usr/sbin/nginx")
MODULE = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
MAIN = """\
load_module {module};
{user}
pid {run}/nginx.pid;
error_log {run}/error.log;
events {{ worker_connections 64; }}
stream {{
  ssl_session_cache shared:mine:1m;
  map_hash_max_size 4096;
  server {{ listen 127.0.0.1:{own}; return "mine\\n"; }}
  include {conf}/streams/*.conf;
}}
"""
SITE = """\
[nginx]
binary = "{nginx}"
config = "{conf}/nginx.conf"
[sites.db]
kind = "stream"
server_names = ["db.test"]
listen = ["127.0.0.1:{port}"]
upstream = "127.0.0.1:1"
"""

pytestmark = [
    pytest.mark.nginx,
    pytest.mark.skipif(not MODULE.exists(), reason="Debian's libnginx-mod-stream is not installed"),
]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[int]:
    """Start the user's nginx and return the port of his own stream; stop it by its pid."""
    run, conf, port = tmp_path / "run", tmp_path / "conf", free_port()
    for folder in (run, conf / "streams"):
        folder.mkdir(parents=True)
    user = "user root;" if os.geteuid() == 0 else ""  # pytest's directories are its own
    (conf / "nginx.conf").write_text(MAIN.format(module=MODULE, run=run, conf=conf, own=port, user=user))
    subprocess.run([NGINX, "-c", conf / "nginx.conf", "-p", run, "-e", run / "error.log"], check=True, timeout=30)
    yield port
    pid = int((run / "nginx.pid").read_text())
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        time.sleep(0.01)


def make_home(tmp_path: Path, port: int) -> Path:
    """Make a CA whose one site is a stream on that port."""
    home = tmp_path / "home"
    assert counterseal(home, "init", "--no-passphrase").code == 0
    (home / "counterseal.toml").write_text(SITE.format(nginx=NGINX, conf=tmp_path / "conf", port=port))
    return home


def test_one_line_in_the_stream_block_is_all(tmp_path: Path, own: int) -> None:
    """Deploy says which line to add and where; with it, it proves and locks out, and the user's stream goes on."""
    home = make_home(tmp_path, free_port())
    refused = counterseal(home, "nginx", "deploy", "--install-include")
    assert refused.code == 1
    line = f"include {home}/nginx/current/stream.con[f];"
    assert f"stream {{ {line} }}" in refused.stderr
    assert not (home / "nginx" / "current").exists()
    (tmp_path / "conf" / "streams" / "counterseal.conf").write_text(line)
    deployed = counterseal(home, "nginx", "deploy")
    assert deployed.code == 0, deployed.stderr
    assert counterseal(home, "client", "ann", "--no-p12", "--out", str(tmp_path / "out")).code == 0
    assert "in force and proved" in counterseal(home, "revoke", "ann").stdout
    assert counterseal(home, "prove").code == 0
    with socket.create_connection(("127.0.0.1", own), 30) as mine:
        assert read_to_end(mine) == b"mine\n"


def test_a_port_that_is_taken_is_refused_with_its_line(tmp_path: Path, own: int) -> None:
    """Nothing is written, and the message names the user's file and line."""
    home = make_home(tmp_path, own)
    refused = counterseal(home, "nginx", "deploy")
    assert refused.code == 4, refused.stderr
    assert f"{tmp_path}/conf/nginx.conf:9" in refused.stderr
    assert not (home / "nginx" / "current").exists()
