"""How this program was called: what a unit or a crontab calls too."""

from __future__ import annotations

import sys
from pathlib import Path


def program() -> list[str]:
    """Return the words that call this program again, whatever the working directory."""
    called = Path(sys.argv[0])
    return [sys.executable, "-m", "counterseal"] if called.name == "__main__.py" else [str(called.absolute())]
