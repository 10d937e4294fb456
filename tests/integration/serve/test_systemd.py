"""The service under systemd: what it says to the manager, and what systemd says of its unit."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from architecture.source_tree import ROOT
from command import counterseal
from counterseal.cli.serve_unit import closed_to_others, unit_text
from service_process import SECONDS, make_ca, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

UNIT = ROOT / "deploy" / "systemd" / "counterseal.service"
EXPOSURE = 2.0
"""Of 10; what systemd calls OK ends at 4, and nginx's own unit has 9.6."""


@contextmanager
def manager(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Listen as systemd does, with a watchdog of two seconds."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(SECONDS)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        monkeypatch.setenv("WATCHDOG_USEC", "2000000")
        yield listener


def hear(listener: socket.socket, first: str) -> list[str]:
    """Return the lines of the next datagram that begins with this word; "alive" may come in between."""
    while True:
        lines = listener.recv(4096).decode().split("\n")
        if lines[0] == first:
            return lines
        assert lines == ["WATCHDOG=1"], lines


def test_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ready once it answers, alive again and again, reloading with its time, and stopping."""
    make_ca(tmp_path / "home")
    with manager(tmp_path / "notify", monkeypatch) as listener, running(tmp_path / "home") as service:
        hear(listener, "READY=1")
        assert service.request("GET", "/healthz")[0].status == 200
        assert hear(listener, "WATCHDOG=1") == ["WATCHDOG=1"]
        service.process.send_signal(signal.SIGHUP)
        assert re.fullmatch(r"MONOTONIC_USEC=\d+", hear(listener, "RELOADING=1")[1])
        hear(listener, "READY=1")
        (service.home / "serve" / "server.key.pem").write_text("no key")
        service.process.send_signal(signal.SIGHUP)
        hear(listener, "RELOADING=1")
        hear(listener, "READY=1")
        assert service.request("GET", "/healthz")[0].status == 200  # under the certificate that it had
        assert service.stop() == 0
        hear(listener, "STOPPING=1")
    assert "serve.certificate" in [line.get("code") for line in service.log]


def test_the_unit_in_the_repository_is_the_one_that_is_printed(tmp_path: Path) -> None:
    """With the usual paths; the command prints it with its own."""
    assert UNIT.read_text() == unit_text(["/usr/local/bin/counterseal"], Path("/var/lib/counterseal"), None)
    printed = counterseal(tmp_path / "ca", "serve", "--print-unit", "--passphrase-file", str(tmp_path / "pass")).stdout
    assert f"ExecStart={sys.executable} -m counterseal serve --home {tmp_path}/ca\n" in printed
    assert f"LoadCredential=counterseal-passphrase:{tmp_path}/pass\n" in printed
    assert f"ReadWritePaths={tmp_path}/ca\n" in printed


def test_a_program_where_the_service_may_not_look(tmp_path: Path) -> None:
    """An interpreter below /root, behind whatever link, stays visible; a directory closed to others is named."""
    program, home = ["/usr/local/bin/counterseal"], Path("/var/lib/counterseal")
    assert "\nProtectHome=yes\n" in unit_text(program, home, None, code=[Path("/usr/bin/python3")])
    assert "\nProtectHome=read-only\n" in unit_text(program, home, None, code=[Path("/root/.pyenv/bin/python3")])
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    above = closed_to_others([Path("/usr/bin/python3"), closed / "bin" / "counterseal"])
    assert above in {closed, *closed.parents}
    printed = counterseal(tmp_path / "ca", "serve", "--print-unit")
    assert closed_to_others([Path("/usr/bin/python3")]) is None
    assert ("may not look" in printed.stderr) == (
        closed_to_others([Path(__file__), Path(sys.executable).resolve()]) is not None
    )


def test_systemd_finds_no_fault_and_little_exposure(tmp_path: Path) -> None:
    """No unknown setting, and a score that nobody raises by accident."""
    unit = tmp_path / "counterseal.service"
    unit.write_text(UNIT.read_text().replace("/usr/local/bin/counterseal", sys.executable))
    environment = {**os.environ, "SYSTEMD_PAGER": "", "LC_ALL": "C.UTF-8"}

    def analyze(*words: str) -> subprocess.CompletedProcess[str]:
        command = ["systemd-analyze", *words, str(unit)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS, env=environment)

    verified = analyze("verify")
    assert (verified.returncode, verified.stderr) == (0, "")
    judged = analyze("security", "--offline=yes")
    found = re.search(r"Overall exposure level for counterseal\.service: ([0-9.]+)", judged.stdout)
    assert found, judged.stdout + judged.stderr
    assert float(found[1]) <= EXPOSURE
