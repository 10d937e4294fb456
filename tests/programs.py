"""Running other people's programs on files that a test wrote."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 60


def run_program(*command: str, cwd: Path, exit_code: int = 0) -> str:
    """Return what the program said on both streams; fails the test when it ends with another exit code."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
        check=False,
    )
    said = done.stdout.decode(errors="replace")
    assert done.returncode == exit_code, f"{' '.join(command)} ended with {done.returncode}: {said}"
    return said
