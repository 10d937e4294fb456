"""The edge where what was raised becomes words."""

from __future__ import annotations

from errno import EACCES
from typing import TYPE_CHECKING

from counterseal.cli.run import run
from counterseal.files import not_used

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


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
