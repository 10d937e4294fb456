"""``counterseal doctor`` beside a real nginx: all well, and each thing that is broken with what mends it."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from command import counterseal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from command import Ran

pytestmark = pytest.mark.nginx
SITE = """\
[sites.panel]
server_names = ["panel.test"]
listen = ["127.0.0.1:{port}"]
upstream = "127.0.0.1:{behind}"
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Deploy one site; stop its nginx in the end."""
    home = tmp_path / "home"
    assert counterseal(home, "init", "--no-passphrase").code == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as behind:
        settings = SITE.format(port=port, behind=behind.getsockname()[1])
        (home / "counterseal.toml").write_text(settings)
        deployed = counterseal(home, "nginx", "deploy")
        assert deployed.code == 0, deployed.stderr
        yield home
        (home / "counterseal.toml").write_text(settings)
        counterseal(home, "nginx", "stop")


def _lines(home: Path, *options: str) -> dict[str, tuple[str, str | None]]:
    """Return state and mend of all lines but the machine's own, its timer and its clock; the worst is the exit code."""
    ran = counterseal(home, "doctor", "--json", *options)
    return {name: (one["state"], one["mend"]) for name, one in _read(ran).items() if name not in {"timer", "clock"}}


def _read(ran: Ran) -> dict[str, dict[str, str]]:
    """Return every line by its name; of several about one thing the worst."""
    checks = json.loads(ran.stdout)["checks"]
    states = {one["state"] for one in checks}
    assert ran.code == (1 if "broken" in states else 3 if "attention" in states else 0), ran
    assert all(one["mend"] for one in checks if one["state"] != "ok"), ran
    by_weight = sorted(checks, key=lambda one: ("ok", "attention", "broken").index(one["state"]))
    return {f"{one['check']} {one['subject'] or ''}".strip(): one for one in by_weight}


def _not_well(home: Path, *options: str) -> dict[str, dict[str, str]]:
    """Return the lines that are not ok, but for the machine's own."""
    lines = _read(counterseal(home, "doctor", "--json", *options))
    return {name: one for name, one in lines.items() if one["state"] != "ok" and name not in {"timer", "clock"}}


def _type(home: Path, mend: str) -> None:
    """Type what mends something, up to where a sentence begins."""
    program, *words = shlex.split(mend.partition(";")[0])
    assert program == "counterseal"
    typed = counterseal(home, *words)
    assert typed.code == 0, typed.stderr


def _reload(home: Path) -> None:
    """Have nginx read its files again, and wait until none of the workers from before is left."""
    master = int((home / "nginx" / "run" / "nginx.pid").read_text())
    children = Path(f"/proc/{master}/task/{master}/children")
    before = set(children.read_text().split())
    os.kill(master, signal.SIGHUP)
    deadline = time.monotonic() + 30
    while before & (now := set(children.read_text().split())) or not now:
        assert time.monotonic() < deadline, "the old workers stay"
        time.sleep(0.02)


def test_all_is_well_after_a_deploy(home: Path) -> None:
    """Nothing but the machine's own lines can complain."""
    lines = _lines(home, "panel")
    assert {state for state, _ in lines.values()} == {"ok"}
    listed = _read(counterseal(home, "doctor", "--no-proof", "--json"))["list clients"]["message"]
    assert re.fullmatch(r"number \d+, .+ old, until .+ UTC, .+ left", listed)
    assert {"nginx", "generation 1", "lint", "proof panel", "site certificate panel", "upstream panel"} <= set(lines)
    assert counterseal(home, "doctor", "nosuch").code == 1


def test_what_is_broken_is_said_with_what_mends_it(home: Path) -> None:
    """A file of the generation changed so that nginx refuses it, nginx stopped, and at last unreadable settings."""
    with (home / "nginx" / "current" / "http.conf").open("a") as stream:
        stream.write("nonsense;\n")
    refused = _not_well(home, "--no-proof")
    assert set(refused) == {"generation 1", "nginx"}, "what runs still serves what it read"
    assert 'nginx -t refuses the configuration: unknown directive "nonsense"' in refused["nginx"]["message"]
    assert refused["generation 1"]["mend"] == "counterseal nginx deploy"
    _type(home, refused["nginx"]["mend"])
    assert _not_well(home, "--no-proof") == {}
    assert counterseal(home, "nginx", "stop").code == 0
    lines = _lines(home)
    assert lines["nginx"] == ("broken", "counterseal nginx deploy")
    assert lines["proof"][0] == "attention"
    assert counterseal(home, "doctor").code == 1
    settings = home / "counterseal.toml"
    right = settings.read_text()
    settings.write_text(f"{right}ocsp = 5\n")
    state, mend = _lines(home, "--no-proof")["configuration"]
    assert (state, str(mend).partition(";")[0]) == ("broken", f"edit {settings}, then: counterseal doctor")
    settings.write_text(right)
    (home / "counterseal.toml").write_text(f"nonsense = 1\n{(home / 'counterseal.toml').read_text()}")
    shown = counterseal(home, "doctor")
    assert shown.code == 1
    assert "broken     configuration" in shown.stdout
    assert "nonsense" in shown.stdout
    assert "broken     nginx" in shown.stdout, "what is right in the file still counts"
    assert "proof" not in shown.stdout


def test_what_nginx_serves_is_not_what_it_should(home: Path) -> None:
    """A generation that nginx never read, seen without any key; typing what the line says mends it."""
    assert counterseal(home, "nginx", "deploy").code == 0
    current = home / "nginx" / "current"
    current.unlink()
    current.symlink_to(Path("generations", min(path.name for path in (home / "nginx" / "generations").iterdir())))
    lines = _not_well(home, "--no-proof")
    assert lines["served panel"]["message"].startswith("generation 2 answers at 127.0.0.1:"), lines
    assert lines["served panel"]["state"] == "broken"
    assert "still serves another generation" in _not_well(home)["proof panel"]["message"]
    _type(home, lines["served panel"]["mend"])
    assert _not_well(home) == {}


def test_a_finding_and_a_failing_row_are_told_and_mended(home: Path) -> None:
    """Somebody turned sessions on in our file: the linter sees it there, the proof from outside."""
    for path in (home / "nginx" / "current").rglob("*.conf"):
        path.write_text(path.read_text().replace("ssl_session_tickets off;", "ssl_session_tickets on;"))
    _reload(home)
    lines = _not_well(home)
    assert set(lines) == {"generation 1", "lint", "proof panel"}
    assert "tickets" in lines["lint"]["message"]
    assert "TLS sessions are on" in lines["proof panel"]["message"]
    _type(home, lines["lint"]["mend"])
    _type(home, lines["proof panel"]["mend"])
    assert _not_well(home) == {}


def test_a_revocation_that_nginx_does_not_have_is_told(home: Path, tmp_path: Path) -> None:
    """A list signed after the deploy is not what nginx reads; the doctor says which command mends it."""
    assert counterseal(home, "client", "alice", "--out", str(tmp_path / "out")).code == 0
    assert counterseal(home, "crl").code == 0
    assert _lines(home, "--no-proof")["generation 1"] == ("attention", "counterseal refresh")
    assert counterseal(home, "refresh").code == 0
    assert _lines(home, "--no-proof")["generation 2"] == ("ok", None)


@pytest.mark.parametrize("text", ["[[[", "sites = 3", '[store]\nurl = "mysql:"\nurl = 3'])
def test_a_configuration_that_cannot_be_read_hides_nothing_else(tmp_path: Path, text: str) -> None:
    """The store, the keys, the CAs and their lists need none; a key that others can read is still found."""
    home = tmp_path / "home"
    assert counterseal(home, "init", "--no-passphrase").code == 0
    next((home / "keys").glob("*.pem")).chmod(0o644)
    (home / "counterseal.toml").write_text(text)
    shown = counterseal(home, "doctor", "panel").stdout.splitlines()
    broken = [line.split()[1] for line in shown if line.startswith("broken")]
    assert broken == ["configuration", "key"]
    assert {"store", "log", "ca", "list", "clock"} <= {line.split()[1] for line in shown if line.startswith("ok")}


def test_a_database_that_the_configuration_hides_is_not_looked_for_elsewhere(tmp_path: Path) -> None:
    """Where there is no store in the home, which database it is in is not known."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "counterseal.toml").write_text("[store]\nurl = 3\n")
    shown = counterseal(home, "doctor")
    assert shown.code == 1
    assert "not looked at: which one it is stands in counterseal.toml" in shown.stdout
    assert "timer" in shown.stdout


def test_a_probe_that_has_ended_is_told_as_that(home: Path) -> None:
    """As after a week without a deploy: the site is sound, and refresh, for which no list is due, makes new ones."""
    probes = home / "nginx" / "current" / "probes" / "clients"
    (probes / "good.pem").write_bytes((probes / "expired.pem").read_bytes())
    proved = counterseal(home, "prove")
    assert (proved.code, "fix: counterseal refresh\n" in proved.stdout) == (3, True), proved
    assert "expired root" not in proved.stdout
    found = _not_well(home)
    assert found["proof panel"] | {"message": ""} == {
        "check": "proof",
        "subject": "panel",
        "state": "attention",
        "message": "",
        "mend": "counterseal refresh",
    }
    told = {one["message"] for one in json.loads(counterseal(home, "doctor", "--json").stdout)["checks"]}
    assert "the probes of its proof have ended, or end soon" in told
    refreshed = counterseal(home, "refresh")
    assert (refreshed.code, "generation 2 is in force and proved" in refreshed.stdout) == (0, True), refreshed
    assert not _not_well(home)
