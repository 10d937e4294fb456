"""Asking systemd for a reload: only for the unit whose main process is that very master."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from counterseal.nginx.process import reload_unit

if TYPE_CHECKING:
    from pathlib import Path

STAND_IN = """#!/bin/sh
echo "$@" >> "{log}"
case "$1" in show) echo {pid};; *) exit {status};; esac
"""


@pytest.mark.parametrize(
    ("pid", "status", "reloaded", "calls"),
    [
        (7, 0, True, ["show", "reload"]),
        (7, 1, False, ["show", "reload"]),
        (8, 0, False, ["show"]),
        (0, 0, False, ["show"]),
    ],
    ids=["its master", "not allowed", "another master", "no such unit"],
)
def test_systemd_is_asked_for_the_unit_of_that_master_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pid: int, status: int, calls: list[str], *, reloaded: bool
) -> None:
    """A stand-in for systemctl says what the unit's main process is; a master that is not it is left alone."""
    log, stand_in = tmp_path / "log", tmp_path / "systemctl"
    stand_in.write_text(STAND_IN.format(log=log, pid=pid, status=status))
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert reload_unit("nginx", 7) is reloaded
    asked = log.read_text().splitlines()
    assert [line.removeprefix("--no-ask-password ").partition(" ")[0] for line in asked] == calls
    assert all(line.endswith(" nginx") for line in asked)


def test_without_systemd_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without systemctl is no error here."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert reload_unit("nginx", 7) is False
