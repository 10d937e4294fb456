"""The guides' blocks, to be run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from architecture.source_tree import ROOT

PROGRAMS = Path(sys.executable).parent


def blocks(guide: str, kind: str) -> list[str]:
    """Return the fenced blocks of a kind, in their order."""
    text = (ROOT / "docs" / "guides" / guide).read_text()
    found = re.findall(rf"^( *)```{kind}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    return [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def run_script(script: str, place: Path, home: Path, **environment: str) -> str:
    """Run shell commands in ``place`` on the CA in ``home``; each must succeed. Return what they printed."""
    variables = {"COUNTERSEAL_HOME": str(home), "HOME": str(place), "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    ran = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{script}"],
        check=False,
        cwd=place,
        capture_output=True,
        text=True,
        timeout=180,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **variables, **environment},
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def table_row(guide: str, first: str) -> list[str]:
    """Return what stands in backquotes in the row of a table that begins with this cell."""
    text = (ROOT / "docs" / "guides" / guide).read_text()
    (found,) = re.findall(rf"^\| {re.escape(first)} \|.*$", text, re.MULTILINE)
    return re.findall(r"`([^`]+)`", found)


def fit(text: str, values: dict[str, str]) -> str:
    """Put what only this machine has in the place of what the guide says."""
    for old, new in values.items():
        text = text.replace(old, new)
    return text


def program(path: Path, text: str) -> None:
    """Write a script that can be run."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o700)
