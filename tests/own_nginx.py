"""The user's own nginx, started by hand from a configuration that includes our sites and has nothing else."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

from counterseal.nginx.proctable import read_title
from counterseal.nginx.waiting import system_clock, wait_until

if TYPE_CHECKING:
    from pathlib import Path

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "nginx"
OWN = """{user}
pid {run}/{name}.pid;
error_log {run}/error.log;
worker_shutdown_timeout 3s;
events {{}}
http {{
  access_log off; include {home}/nginx/current/http.con[f];
  client_body_temp_path {run}/b; proxy_temp_path {run}/p; fastcgi_temp_path {run}/f; uwsgi_temp_path {run}/u;
  scgi_temp_path {run}/s;
}}
"""


def pid_in(path: Path) -> int:
    """Return the number in a pid file."""
    return int(path.read_text())


def end(*pids: int) -> None:
    """End these processes, and wait for it."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not any(map(read_title, pids)), within=30, clock=system_clock())


def start(run: Path) -> int:
    """Start the user's own nginx; return its master."""
    subprocess.run([NGINX, "-c", run / "nginx.conf", "-e", run / "error.log"], check=True, timeout=30)
    assert wait_until((run / "nginx.pid").exists, within=30, clock=system_clock())
    return pid_in(run / "nginx.pid")
