"""The guide to the API, line by line: its shell commands run as they stand, against a real service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from command import counterseal
from guides import blocks, run_script
from service_process import make_ca, running

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

PLACEHOLDER = "https://ca.corp.example"


def test_every_command_of_the_guide_works(tmp_path: Path) -> None:
    """From the grants to the log; each command succeeds, and what they leave is what the guide says."""
    (configuration,) = blocks("api.md", "toml")
    home, place = tmp_path / "home", tmp_path / "place"
    make_ca(home, configuration)
    place.mkdir()
    preparing, *scripts = blocks("api.md", "sh")
    assert preparing.splitlines()[0] == "counterseal client ci --group admins --no-p12"
    made = counterseal(home, *preparing.splitlines()[0].split()[1:], "--out", str(place))
    assert made.code == 0, made.stderr
    (place / "root.pem").write_bytes((home / "root.pem").read_bytes())
    with running(home) as service:
        script = "".join(scripts).replace(PLACEHOLDER, service.url)
        told = run_script(script.replace("api() { curl", "api() { curl --fail-with-body"), place, home)
    assert json.loads((place / "issued.json").read_text())["certificate"]["name"] == "app.corp.example"
    assert (place / "alice.p12").stat().st_size > 500
    assert '"nginx": "not_deployed"' in told
    assert (place / "clients.crl").read_bytes()[:1] == b"\x30"
