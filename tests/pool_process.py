"""pgbouncer between the tests and their PostgreSQL: a real connection pool, in either mode."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from postgresql_process import dropped, own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from postgresql_process import Cluster

SECONDS = 30.0
_CONFIGURATION = """
[databases]
* = host={server} user=counterseal
[pgbouncer]
listen_addr =
unix_socket_dir = {base}
auth_type = any
pool_mode = {mode}
"""


@contextmanager
def pool(cluster: Cluster, mode: str) -> Iterator[Callable[[str], str]]:
    """Run one with this ``pool_mode``; return what turns the URL of a database of the cluster into the pool's."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
    assert program, "no pgbouncer: apt-get install pgbouncer"
    base = Path(tempfile.mkdtemp(prefix="counterseal-pool-"))
    own(base)
    (base / "ini").write_text(_CONFIGURATION.format(server=cluster.base, base=base, mode=mode))
    with (base / "log").open("wb") as log:
        process = subprocess.Popen([*dropped(), program, str(base / "ini")], stdout=log, stderr=log, cwd="/")
        try:
            _wait(process, base)
            yield lambda url: url.replace(str(cluster.base), f"{base}&port=6432")
        finally:
            process.kill()
            process.wait()
            shutil.rmtree(base)


def _wait(process: subprocess.Popen[bytes], base: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not _answers(base / ".s.PGSQL.6432"):
        assert process.poll() is None, (base / "log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _answers(path: Path) -> bool:
    """Whether somebody listens there: the socket is a file before anybody does."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0
