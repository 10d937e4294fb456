"""The edge where what was raised becomes words."""

from __future__ import annotations

from errno import EACCES
from typing import TYPE_CHECKING

import pytest

from counterseal.cli.group import main
from counterseal.cli.run import run
from counterseal.files import not_used

if TYPE_CHECKING:
    from pathlib import Path


def test_a_path_that_the_system_refuses_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Wherever it is looked at: that is no fault of this program, so nobody is asked to report one."""
    home = tmp_path / ("a" * 300)
    assert run(["list", "--home", str(home)]) == 1
    assert capsys.readouterr().err == f"error: cannot use {home}/store.sqlite: file name too long\n"


def test_who_may_not_is_told_who_may() -> None:
    """As a stranger to the home of a CA is."""
    error = not_used(PermissionError(EACCES, "Permission denied", "/root/ca/store.sqlite"))
    assert (error.message, error.hint) == (
        "cannot use /root/ca/store.sqlite: permission denied",
        "run as the user who owns the directory, or choose another one",
    )


@pytest.mark.parametrize(
    ("name", "value", "colour"), [("NO_COLOR", "1", False), ("NO_COLOR", "", None), ("TERM", "dumb", False)]
)
def test_colours_can_be_refused(name: str, value: str, colour: bool | None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - pytest's parameters
    """By NO_COLOR, or a terminal that has none; otherwise click asks the stream."""
    given: dict[str, object] = {}
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    monkeypatch.setattr(main, "main", lambda **options: given.update(options))
    assert run([]) == 0
    assert given["color"] is colour
