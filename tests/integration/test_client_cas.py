"""Two sites on one socket with different client CAs, on every nginx: no client of one is one of the other."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from command import counterseal
from nginx_process import nginx_binary
from ports import free_port
from programs import run_program

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


def answer_to(home: Path, certificate: Path) -> str:
    """Return what nginx answers a visitor of the panel: 502 where he is let in, as nobody is behind it."""
    port = re.search(r"127.0.0.1:(\d+)", (home / "counterseal.toml").read_text())
    assert port is not None
    identity = ["--cert", f"{certificate}.fullchain.pem", "--key", f"{certificate}.key.pem"]
    to = ["--resolve", f"panel.test:{port[1]}:127.0.0.1", "--cacert", str(certificate.parent / "ca.pem")]
    shown = ["-sS", "-o", "/dev/null", "-w", "%{http_code}"]
    return run_program("curl", *shown, *to, *identity, f"https://panel.test:{port[1]}/", cwd=home)


def test_a_ca_that_ends_is_succeeded_by_another(home: Path, tmp_path: Path) -> None:
    """New certificates and renewals come from the successor; who has one of either is let in, until it is revoked."""
    out = tmp_path / "out"
    for name in ("ann", "eve"):
        assert counterseal(home, "client", name, "--no-p12", "--out", str(out)).code == 0
    assert counterseal(home, "ca", "add", "clients-2", "--purpose", "client").code == 0
    retired = counterseal(home, "ca", "retire", "clients", "--successor", "clients-2")
    assert (retired.code, "in force and proved" in retired.stdout) == (0, True), retired.stderr
    assert counterseal(home, "client", "bob", "--no-p12", "--out", str(out)).code == 0
    assert counterseal(home, "renew", "ann", "--out", str(out), "--force").code == 0
    listed = json.loads(counterseal(home, "list", "--profile", "client", "--json").stdout)["certificates"]
    issuers = sorted((one["name"], one["issuer"]) for one in listed)
    assert issuers == [("ann", "clients"), ("ann", "clients-2"), ("bob", "clients-2"), ("eve", "clients")]
    assert [answer_to(home, out / name) for name in ("ann", "bob", "eve")] == ["502"] * 3
    assert counterseal(home, "revoke", "eve").code == 0
    assert [answer_to(home, out / name) for name in ("bob", "eve")] == ["502", "400"]
