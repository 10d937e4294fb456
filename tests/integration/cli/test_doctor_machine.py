"""``counterseal doctor`` about the machine: its timer and its clock, each told and mended by typing what the line says.

systemd itself runs where it is process 1, which it is on no machine that tests get. So ``systemctl`` here is a script
that keeps what was enabled and what failed, and starts a unit by running its ExecStart. The units are real.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine

from command import counterseal
from counterseal.cli.run import run
from service_process import running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SYSTEMCTL = """\
#!/bin/sh
cd {directory} || exit 1
case "$*" in
  "is-active counterseal-refresh.timer") cat timer 2>/dev/null || echo inactive ;;
  "is-failed counterseal-refresh.service") cat service 2>/dev/null || echo inactive ;;
  "enable --now counterseal-refresh.timer") test -f units/counterseal-refresh.timer && echo active > timer ;;
  "start counterseal-refresh.service")
    $(sed -n 's/^ExecStart=//p' units/counterseal-refresh.service) >/dev/null 2>&1
    case $? in 0) echo inactive > service ;; *) echo failed > service; exit 1 ;; esac ;;
  daemon-reload) ;;
  *) echo "not known: $*" >&2; exit 1 ;;
esac
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a CA without sites, whose keys a timer can use; each test leaves it as it was."""
    home = tmp_path_factory.mktemp("machine") / "home"
    assert counterseal(home, "init", "--no-passphrase").code == 0
    return home


@pytest.fixture
def look(home: Path, capfd: pytest.CaptureFixture[str]) -> Callable[[str], dict[str, str]]:
    """Return what the doctor says of one thing, asked within this process."""

    def ask(topic: str) -> dict[str, str]:
        capfd.readouterr()
        run(["doctor", "--no-proof", "--json", "--home", str(home)])
        checks = json.loads(capfd.readouterr().out)["checks"]
        return next(one for one in checks if one["check"] == topic)

    return ask


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a systemd of our own into the place of the machine's: where its units lie, and no cron."""
    directory = tmp_path / "machine"
    (directory / "units").mkdir(parents=True)
    program = directory / "systemctl"
    program.write_text(SYSTEMCTL.format(directory=directory))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")
    for module in ("counterseal.cli.timer", "counterseal.compose.doctor"):
        monkeypatch.setattr(f"{module}.UNITS", directory / "units")
    monkeypatch.setattr("counterseal.cli.timer.SYSTEMD_RUNS", directory)
    monkeypatch.setattr("counterseal.cli.timer.program", lambda: [sys.executable, "-m", "counterseal"])
    monkeypatch.setattr("counterseal.compose.doctor.CRON", ())
    return directory


def test_the_timer(home: Path, machine: Path, look: Callable[[str], dict[str, str]]) -> None:
    """Missing, active, failing and stopped; the unit that fails is one that does."""
    missing = look("timer")
    assert (missing["state"], missing["mend"]) == ("attention", "counterseal timer install")
    assert run([*shlex.split(missing["mend"])[1:], "--home", str(home)]) == 0
    assert look("timer")["state"] == "ok"
    (home / "counterseal.toml").write_text("nonsense = 1\n")
    assert subprocess.run(["systemctl", "start", "counterseal-refresh.service"], check=False).returncode == 1
    failing = look("timer")
    assert (failing["state"], "refresh failed when it ran last" in failing["message"]) == ("broken", True)
    (home / "counterseal.toml").unlink()
    subprocess.run(shlex.split(failing["mend"]), check=True)
    assert look("timer")["state"] == "ok"
    (machine / "timer").write_text("failed\n")
    stopped = look("timer")
    assert (stopped["state"], "is not active" in stopped["message"]) == ("attention", True)
    subprocess.run(shlex.split(stopped["mend"]), check=True)
    assert look("timer")["state"] == "ok"


def test_a_line_of_cron(
    home: Path, machine: Path, look: Callable[[str], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ``timer print`` says, put where cron reads it, is as good; a comment is not."""
    cron = machine / "cron.d"
    cron.mkdir()
    monkeypatch.setattr("counterseal.compose.doctor.CRON", (cron,))
    line = counterseal(home, "timer", "print").stdout
    (cron / "counterseal").write_text(f"# {line}")
    assert look("timer")["state"] == "attention"
    (cron / "counterseal").write_text(line)
    assert (look("timer")["state"], str(cron) in look("timer")["message"]) == ("ok", True)


@pytest.mark.usefixtures("machine")
def test_beside_a_service(home: Path, look: Callable[[str], dict[str, str]]) -> None:
    """It keeps the lists fresh, so that is not asked for; what a site has is another's work still."""
    assert look("timer")["state"] == "attention"
    with running(home):
        alone = look("timer")
        assert (alone["state"], "a running service signs the lists" in alone["message"]) == ("ok", True)
        (home / "counterseal.toml").write_text(
            '[sites.panel]\nserver_names = ["a.test"]\nlisten = ["8443"]\nroot = "/srv"\n'
        )
        sited = look("timer")
        (home / "counterseal.toml").unlink()
    assert (sited["state"], sited["mend"]) == ("attention", "counterseal timer install")
    assert "what nginx has here grows old" in sited["message"]


def test_a_clock_that_was_set_back(look: Callable[[str], dict[str, str]]) -> None:
    """Behind the log of key uses; once it is right again, the line is."""
    assert look("clock")["state"] == "ok"
    with time_machine.travel(datetime.now(UTC) - timedelta(days=2)):
        back = look("clock")
    assert (back["state"], "a CA key was used at" in back["message"]) == ("broken", True)
    assert "timedatectl" in back["mend"]
    assert look("clock")["state"] == "ok"
