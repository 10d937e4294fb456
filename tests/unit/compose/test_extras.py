"""A missing extra is installed where the program is."""

from __future__ import annotations

import sys

import pytest

from counterseal.compose.extras import installing


@pytest.mark.parametrize(
    ("prefix", "command"),
    [
        ("/root/.local/share/pipx/venvs/counterseal", "pipx install --force 'counterseal[serve]'"),
        ("/root/.local/share/uv/tools/counterseal", "uv tool install 'counterseal[serve]'"),
        ("/srv/my ca/.venv", "'/srv/my ca/.venv/bin/python' -m pip install 'counterseal[serve]'"),
    ],
)
def test_the_hint_fits_how_it_was_installed(prefix: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Because pip of the system would install it elsewhere."""
    monkeypatch.setattr(sys, "prefix", prefix)
    monkeypatch.setattr(sys, "executable", f"{prefix}/bin/python")
    assert installing("serve") == command
