"""A newer program under a service: installed, it changes nothing; when it upgrades the store, the older one ends."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

import counterseal as package
from api_client import CONFIGURATION, Client, make_api
from command import counterseal
from counterseal.store.migrations import NEWEST
from integration.store.test_moved_away import issue, start_again
from service_process import SECONDS, Running, running

pytestmark = pytest.mark.slow

STEP = f"insert into schema_version (version, name) values ({NEWEST + 1}, 'later.sql')"  # noqa: S608 - a constant


@pytest.mark.parametrize("shared", [False, True], ids=["file", "PostgreSQL"])
def test_an_older_service_ends(tmp_path: Path, url: str, *, shared: bool) -> None:
    """With exit code 1, so that systemd starts the newer program; the older one is not started either."""
    home = tmp_path / "home"
    make_api(home, CONFIGURATION + (f'[store]\nurl = "{url}"\n' if shared else ""))
    with running(home) as service:
        operator = Client(service, "operator")
        assert issue(operator, "ann") == 201
        if shared:
            with psycopg.connect(url) as database:
                database.execute(STEP.encode())
        else:
            with closing(sqlite3.connect(home / "store.sqlite", isolation_level=None)) as file:
                file.execute(STEP)
        assert issue(operator, "bob") in {503, None}
        assert service.process.wait(SECONDS) == 1
    assert [line for line in service.lines if '"store upgraded"' in line]
    code, told = start_again(home)
    assert (code, "made by a newer Counterseal" in told) == (1, True)
    refused = counterseal(home, "client", "cid", "--out", str(tmp_path))
    assert (refused.code, f"has schema {NEWEST + 1}" in refused.stderr) == (1, True)


COPIED = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from counterseal.cli.run import run
sys.exit(run(sys.argv[1:]))
"""
"""The program out of a directory that is its first argument."""


def answers(service: Running, name: str) -> list[int | None]:
    """Return the status of answers, some of which the service opens its store anew for, and one that writes."""
    admin = Client(service, "admin")
    asked = [
        admin.call("GET", "/v1/certificates"),
        admin.call("GET", "/v1/key-uses/verification"),
        admin.call("POST", "/v1/crls", {}),
    ]
    return [*(one.status for one in asked), issue(Client(service, "operator"), name)]


@pytest.mark.parametrize("shared", [False, True], ids=["file", "PostgreSQL"])
def test_a_service_goes_on_while_a_newer_program_is_installed_under_it(
    tmp_path: Path, url: str, *, shared: bool
) -> None:
    """Until the store is upgraded it is the older one's: neither refused as outdated, nor upgraded by it."""
    home, source = tmp_path / "home", tmp_path / "source"
    make_api(home, CONFIGURATION + (f'[store]\nurl = "{url}"\n' if shared else ""))
    copied = source / "counterseal"
    shutil.copytree(Path(package.__file__).parent, copied, ignore=shutil.ignore_patterns("__pycache__"))
    with running(home, program=("-c", COPIED, str(source))) as service:
        before = answers(service, "ann")
        (copied / "store" / "schema" / "0999_later.sql").write_text("alter table ca add column later text;\n")
        assert (before, answers(service, "bob")) == ([200, 200, 200, 201], [200, 200, 200, 201])
        assert service.process.poll() is None
    assert counterseal(home, "log", "verify").code == 0
    command = [sys.executable, "-c", COPIED, str(source), "db", "upgrade", "--home", str(home)]
    upgraded = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert upgraded.returncode == 0, upgraded.stderr
    refused = counterseal(home, "log", "verify")
    assert (refused.code, "has schema 999" in refused.stderr) == (1, True), refused.stderr
