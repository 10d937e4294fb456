"""The guide to a store in PostgreSQL, as it stands: databases made by PostgreSQL's commands, a CA moved and back.

Put in is only the address of this cluster, whose superuser has the name that the guide gives to the owner.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from command import counterseal
from guides import blocks, fit, run_script
from postgresql_process import cluster, programs

if TYPE_CHECKING:
    from pathlib import Path


def values(name: str, password: Path) -> dict[str, str]:
    """Return what stands for the reader's database server, where both owner and database have this name."""
    url = f"postgresql://{name}@/{name}?host={cluster().base}"
    return {
        "createuser counterseal": f"createuser {name}",
        "--owner counterseal": f"--owner {name}",
        "template0 counterseal": f"template0 {name}",
        "postgresql://counterseal@db.corp.example/counterseal?sslmode=verify-full&sslrootcert=/etc/ssl/db.pem": url,
        "postgresql://counterseal@db.corp.example/counterseal": url,
        "/etc/counterseal/postgresql.password": str(password),
    }


@pytest.mark.slow
def test_every_command_of_the_guide_works(tmp_path: Path) -> None:
    """A CA that is made there, and one that is moved there and back."""
    home, moved, password = tmp_path / "home", tmp_path / "moved", tmp_path / "postgresql.password"
    making, starting, moving = blocks("postgresql.md", "sh")
    configuration, _ = blocks("postgresql.md", "toml")
    there = {
        "PATH": f"{programs()}:{os.environ['PATH']}",
        "PGHOST": str(cluster().base),
        "PGUSER": "counterseal",
    }
    password.write_text("secret\n")
    password.chmod(0o600)
    home.mkdir()
    (home / "postgresql.password").write_bytes(password.read_bytes())
    (home / "postgresql.password").chmod(0o600)
    (home / "counterseal.toml").write_text(fit(configuration, values("made", password)))
    for name in ("made", "filled"):
        run_script(fit(making.partition("\n")[2], values(name, password)), tmp_path, home, **there)
    run_script(starting.replace("init", "init --no-passphrase"), tmp_path, home)
    assert counterseal(home, "client", "alice", "--no-p12", "--out", str(tmp_path)).code == 0
    assert counterseal(moved, "init", "--no-passphrase").code == 0
    forth, back = fit(moving, values("filled", password)).splitlines()
    run_script(forth, tmp_path, moved)
    assert counterseal(moved, "server", "panel.example.com", "--out", str(tmp_path)).code == 0
    assert (moved / "store.sqlite.moved").exists()
    run_script(back, tmp_path, moved)
    assert "panel.example.com" in counterseal(moved, "list").stdout
    assert not (home / "store.sqlite").exists()
