"""A newer program upgrades a store under a service: nothing is issued by the older one any more, and it ends."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from api_client import CONFIGURATION, Client, make_api
from command import counterseal
from counterseal.store.migrations import NEWEST
from integration.store.test_moved_away import issue, start_again
from service_process import SECONDS, running

if TYPE_CHECKING:
    from pathlib import Path

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
