"""What is installed only where it is asked for, and how it is added to the place that this program runs from."""

from __future__ import annotations

import sys
from pathlib import Path

from counterseal.errors import shell_line


def installing(extra: str) -> str:
    """Return the command that adds an extra: pipx, uv and pip each keep the program elsewhere, and know only theirs."""
    wanted, place = f"counterseal[{extra}]", Path(sys.prefix).parts
    if {"pipx", "venvs"} <= set(place):
        return shell_line("pipx", "install", "--force", wanted)
    if place[-3:-1] == ("uv", "tools"):
        return shell_line("uv", "tool", "install", wanted)
    return shell_line(sys.executable, "-m", "pip", "install", wanted)
