"""Without the extra, the command says what to install."""

from __future__ import annotations

import pytest

from counterseal.cli import serve
from counterseal.cli.exit_codes import USAGE
from counterseal.cli.run import run
from counterseal.compose import stores
from counterseal.errors import InputError


def test_a_missing_extra_is_said_clearly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is opened."""
    monkeypatch.setattr(serve, "NEEDED", ("starlette", "no_such_module"))
    assert run(["serve"]) == USAGE
    said = capsys.readouterr().err
    assert "what the service stands on is not installed: no_such_module" in said
    assert "pip install 'counterseal[serve]'" in said


def test_a_missing_driver_is_said_clearly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a database is asked."""
    monkeypatch.setattr(stores, "find_spec", lambda name: None if name == "greenlet" else name)
    with pytest.raises(InputError, match="not installed: greenlet") as caught:
        stores.require_driver()
    assert caught.value.code == "store.extra"
