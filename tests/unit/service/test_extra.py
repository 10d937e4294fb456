"""Without the extra, the command says what to install."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counterseal.cli import serve
from counterseal.cli.exit_codes import USAGE
from counterseal.cli.run import run

if TYPE_CHECKING:
    import pytest


def test_a_missing_extra_is_said_clearly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is opened."""
    monkeypatch.setattr(serve, "NEEDED", ("starlette", "no_such_module"))
    assert run(["serve"]) == USAGE
    said = capsys.readouterr().err
    assert "not installed: no_such_module" in said
    assert "pip install 'counterseal[serve]'" in said
