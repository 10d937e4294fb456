"""Where a CA lives when nobody says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from counterseal.compose.place import default_home
from counterseal.errors import InputError


def _as_a_user_without_a_home(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(os, "geteuid", lambda: 54321)
    patch.setattr(os, "getuid", lambda: 54321)  # of no line of passwd
    patch.delenv("HOME", raising=False)
    patch.delenv("XDG_DATA_HOME", raising=False)


def test_who_has_no_home_directory_is_asked_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs as a number; it was reported as a fault of ours."""
    _as_a_user_without_a_home(monkeypatch)
    with pytest.raises(InputError) as caught:
        default_home()
    assert (caught.value.code, caught.value.hint) == ("home.unknown", "name it: --home, COUNTERSEAL_HOME")


def test_a_relative_xdg_directory_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each directory in which the command is typed would have a CA of its own."""
    _as_a_user_without_a_home(monkeypatch)
    monkeypatch.setenv("HOME", "/home/ann")
    for said, expected in (("data", "/home/ann/.local/share"), ("", "/home/ann/.local/share"), ("/srv", "/srv")):
        monkeypatch.setenv("XDG_DATA_HOME", said)
        assert default_home() == Path(expected) / "counterseal"
