"""Run the command line as a person does, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command answered."""

    code: int
    stdout: str
    stderr: str


def counterseal(home: Path, *arguments: str, timeout: float = 120) -> Ran:
    """Run ``counterseal ARGUMENTS`` on the CA in ``home``, without a terminal."""
    command = [sys.executable, "-m", "counterseal", *arguments, "--home", str(home)]
    ran = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
        env=dict(os.environ),
    )
    assert "Traceback" not in ran.stderr, ran.stderr
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def write_secret(path: Path, text: str) -> str:
    """Write a file that its owner alone can read, as it should be with a passphrase, and return its path."""
    path.touch(mode=0o600)
    path.write_text(text)
    return str(path)
