"""Guides, line by line: their shell commands run as they stand, but for what only the reader's machine has."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from command import counterseal
from guides import blocks, run_script
from programs import run_program

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home with a CA."""
    home = tmp_path / "home"
    assert counterseal(home, "init", "--no-passphrase").code == 0
    return home


def test_a_fleet(home: Path, tmp_path: Path) -> None:
    """A request signed, two batches of devices and one of people, and a CA for devices."""
    (table,) = blocks("fleet.md", "csv")
    (tmp_path / "devices.csv").write_text(table)
    (tmp_path / "people.csv").write_text("name,email\nann,ann@example.com\n")
    run_script("".join(blocks("fleet.md", "sh")), tmp_path, home)
    assert sorted(path.name for path in (tmp_path / "certs").iterdir()) == [
        "ca.pem", "device-0001.cert.pem", "device-0001.chain.pem", "device-0001.fullchain.pem",
    ]  # fmt: skip
    handout = {path.name for path in (tmp_path / "handout").iterdir()}
    assert {"press-01.key.pem", "press-02.fullchain.pem", "ann.p12", "issued.csv", "ca.pem"} <= handout
    assert (tmp_path / "devices.tar").stat().st_mode & 0o777 == 0o600
    listed = json.loads(counterseal(home, "list", "--issuer", "devices", "--json").stdout)["certificates"]
    assert [one["name"] for one in listed] == ["device-0001"]


def test_a_platform(home: Path, tmp_path: Path) -> None:
    """A key for ACME, a profile of services, and a root that goes offline."""
    (profile,) = blocks("platform.md", "toml")
    (home / "counterseal.toml").write_text(profile)
    names = ["-addext", "subjectAltName=DNS:orders.svc.corp.example", "-subj", "/CN=orders.svc.corp.example"]
    key = ["-newkey", "rsa:2048", "-nodes", "-keyout", "orders.key"]
    run_program("openssl", "req", "-new", *key, *names, "-out", "orders.csr", cwd=tmp_path)
    acme, sign, offline = blocks("platform.md", "sh")
    run_script(acme.splitlines()[0], tmp_path, home)
    run_script(sign + offline.replace("/var/lib/counterseal", str(home)), tmp_path, home)
    (home / "keys" / "root.key.pem").rename(tmp_path / "root.key.pem")
    assert (tmp_path / "out" / "orders.svc.corp.example.cert.pem").is_file()
    listed = json.loads(counterseal(home, "ca", "list", "--json").stdout)["cas"]
    ends = {one["name"]: datetime.fromisoformat(one["crl_next_update"]) for one in listed}
    assert ends["root"] - ends["clients"] > timedelta(days=170)
    assert counterseal(home, "refresh").code == 0
