"""Run the command line as a person does: in a process of its own, or where that would be too slow, in this one."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from counterseal.cli.run import run
from schemas import COMMANDS, hold

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command answered."""

    code: int
    stdout: str
    stderr: str


def counterseal(home: Path, *arguments: str, timeout: float = 120) -> Ran:
    """Run ``counterseal ARGUMENTS`` on the CA in ``home``, without a terminal; JSON is held to its schema."""
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
    return _held(arguments, Ran(ran.returncode, ran.stdout, ran.stderr))


def here(home: Path, *arguments: str) -> Ran:
    """Call ``counterseal ARGUMENTS`` in this process, without a terminal; JSON is held to its schema."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        code = run([*arguments, "--home", str(home)])
    return _held(arguments, Ran(code, stdout.getvalue(), stderr.getvalue()))


def _held(arguments: Sequence[str], ran: Ran) -> Ran:
    """Return it; fails where a command that has a schema printed something else, or an error is not as published."""
    command, *options = arguments
    if ran.stdout and "--json" in options and "--dry-run" not in options and command in COMMANDS:
        document = json.loads(ran.stdout)
        hold("error" if "error" in document else command, document)
    return ran


def write_secret(path: Path, text: str) -> str:
    """Write a file that its owner alone can read, as it should be with a passphrase, and return its path."""
    path.touch(mode=0o600)
    path.write_text(text)
    return str(path)
