"""Two sites on one socket with different client CAs, on every nginx: no client of one is one of the other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from command import counterseal
from nginx_process import nginx_binary
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.nginx

__all__ = ["nginx_binary"]

SITES = """\
[nginx]
binary = "{nginx}"
[sites.panel]
server_names = ["panel.test"]
listen = ["127.0.0.1:{port}"]
upstream = "127.0.0.1:1"
[sites.shop]
server_names = ["shop.test"]
listen = ["127.0.0.1:{port}"]
client_cas = ["partners"]
revocation = "map"
upstream = "127.0.0.1:1"
"""
CROSSING = {
    "other-client-ca", "rival-sni", "rival-resumption", "other-sni", "no-sni", "unknown-sni", "cross-site-resumption",
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, nginx_binary: Path) -> Iterator[Path]:
    """Make a CA with two client CAs and deploy both sites; stop their nginx in the end."""
    home = tmp_path / "home"
    assert counterseal(home, "init", "--no-passphrase").code == 0
    assert counterseal(home, "ca", "add", "partners", "--purpose", "client").code == 0
    (home / "counterseal.toml").write_text(SITES.format(nginx=nginx_binary, port=free_port()))
    deployed = counterseal(home, "nginx", "deploy")
    assert deployed.code == 0, deployed.stderr
    yield home
    counterseal(home, "nginx", "stop")


def rows_of(home: Path, *site: str) -> list[dict[str, Any]]:
    """Prove, and return all rows."""
    document = json.loads(counterseal(home, "prove", *site, "--json").stdout)
    return [row for proof in document["proofs"] for row in proof["rows"]]


def test_no_client_of_one_ca_enters_the_site_of_another(home: Path) -> None:
    """By its own certificate, by the other's name, without one, by a session of the other: over both versions."""
    rows = rows_of(home)
    for site in ("panel", "shop"):
        for version in ("1.2", "1.3"):
            mine = [row for row in rows if (row["site"], row["tls"]) == (site, version)]
            assert {row["kind"] for row in mine if row["result"] == "passed"} >= CROSSING, (site, version)
    assert all(row["result"] != "failed" for row in rows)


def test_proving_one_site_still_tries_its_neighbours(home: Path) -> None:
    """Which sites share its socket does not depend on what is asked for."""
    rows = rows_of(home, "panel")
    assert {row["site"] for row in rows} == {"panel"}
    assert {row["kind"] for row in rows if row["result"] == "passed"} >= CROSSING
