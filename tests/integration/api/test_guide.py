"""The guide to the API, line by line: its shell commands run as they stand, against a real service."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from architecture.source_tree import ROOT
from command import counterseal
from service_process import make_ca, running

pytestmark = pytest.mark.slow

GUIDE = (ROOT / "docs" / "guides" / "api.md").read_text()
PROGRAMS = Path(sys.executable).parent
PLACEHOLDER = "https://ca.corp.example"


def blocks(kind: str) -> list[str]:
    """Return the fenced blocks of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)


def test_every_command_of_the_guide_works(tmp_path: Path) -> None:
    """From the grants to the log; each command succeeds, and what they leave is what the guide says."""
    (configuration,) = blocks("toml")
    home, place = tmp_path / "home", tmp_path / "place"
    make_ca(home, configuration)
    place.mkdir()
    preparing, *scripts = blocks("sh")
    assert preparing.splitlines()[0] == "counterseal client ci --group admins --no-p12"
    made = counterseal(home, *preparing.splitlines()[0].split()[1:], "--out", str(place))
    assert made.code == 0, made.stderr
    (place / "root.pem").write_bytes((home / "root.pem").read_bytes())
    with running(home) as service:
        script = "set -euo pipefail\n" + "".join(scripts).replace(PLACEHOLDER, service.url)
        script = script.replace("api() { curl", "api() { curl --fail-with-body")
        run = subprocess.run(
            ["bash", "-c", script],
            check=False,
            cwd=place,
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "COUNTERSEAL_HOME": str(home), "PATH": f"{PROGRAMS}:{os.environ['PATH']}"},
        )
    assert run.returncode == 0, run.stdout + run.stderr
    assert json.loads((place / "issued.json").read_text())["certificate"]["name"] == "app.corp.example"
    assert (place / "alice.p12").stat().st_size > 500
    assert '"nginx": "not_deployed"' in run.stdout
    assert (place / "clients.crl").read_bytes()[:1] == b"\x30"
