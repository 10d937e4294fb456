"""TLS backends from the command line: nginx verifies them and shows its own certificate, renewed and proved."""

from __future__ import annotations

import json
import os
import signal
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

SITE = """\
[nginx]
binary = "{nginx}"
[sites.panel]
server_names = ["panel.test"]
listen = ["127.0.0.1:{port}"]
upstream = "https://127.0.0.1:1"
allow = {{ groups = ["ops"] }}
upstream_tls = {{ name = "app.internal", client_certificate = "issued", client_ca = "services" }}
[[sites.panel.locations]]
path = "/rpc/"
upstream = "grpcs://127.0.0.1:1"
"""
ROWS = {"good", "foreign", "forged", "expired", "other-name", "client-purpose", "revoked", "sees-certificate"}


@pytest.fixture
def home(tmp_path: Path, nginx_binary: Path) -> Iterator[Path]:
    """Make a CA with a client CA for services, and deploy the site; stop its nginx in the end."""
    home = tmp_path / "home"
    assert counterseal(home, "init", "--no-passphrase").code == 0
    assert counterseal(home, "ca", "add", "services", "--purpose", "client").code == 0
    (home / "counterseal.toml").write_text(SITE.format(port=free_port(), nginx=nginx_binary))
    deployed = counterseal(home, "nginx", "deploy", "--json")
    assert deployed.code == 0, deployed.stderr
    yield home
    counterseal(home, "nginx", "stop")


def backend_rows(home: Path) -> list[dict[str, Any]]:
    """Prove, and return the rows about backends."""
    document = json.loads(counterseal(home, "prove", "--json").stdout)
    return [row for proof in document["proofs"] for row in proof["rows"] if row["kind"].startswith("backend-")]


def test_backends_are_proved_over_both_protocols(home: Path) -> None:
    """The prover plays them all, by HTTP and by gRPC; the key of the one that nginx takes lies nowhere."""
    linted = counterseal(home, "nginx", "lint", str(home / "nginx" / "current" / "nginx.conf"))
    assert linted.code == 0, linted.stdout
    rows = backend_rows(home)
    passed = [row["kind"].removeprefix("backend-") for row in rows if row["result"] == "passed"]
    assert sorted(passed) == sorted(2 * list(ROWS)), rows
    kept = {path.stem for path in (home / "nginx" / "current" / "backends" / "panel").iterdir()}
    assert kept == {"expired", "other-name", "client-purpose", "revoked"}


def test_the_impostors_of_a_generation_are_revoked_by_the_next(home: Path) -> None:
    """None of their keys is good for more than one generation."""
    assert counterseal(home, "nginx", "deploy").code == 0
    query = ("--probes", "--profile", "client-backend-probe", "--json")
    counted = {
        status: len(json.loads(counterseal(home, "list", "--status", status, *query).stdout)["certificates"])
        for status in ("valid", "revoked")
    }
    assert counted == {"valid": 1, "revoked": 1}


def test_a_backend_that_is_not_verified_fails_its_rows(home: Path) -> None:
    """Without proxy_ssl_verify every impostor gets the request, and the proof says so."""
    current = (home / "nginx" / "current").resolve()
    path = current / "sites" / "panel.proxy_ssl.conf"
    path.write_text(path.read_text().replace("proxy_ssl_verify on;", "proxy_ssl_verify off;"))
    os.kill(int((home / "nginx" / "run" / "nginx.pid").read_text()), signal.SIGHUP)
    rows = _until_failing(home)
    failed = {row["kind"].removeprefix("backend-") for row in rows if row["result"] == "failed"}
    assert failed == ROWS - {"good", "sees-certificate"}
    assert all("does not verify its backend" in row["cause"] for row in rows if row["result"] == "failed")


def test_the_certificate_that_nginx_shows_is_renewed(home: Path) -> None:
    """From the CA that was named; refresh replaces one that is no longer good, and the proof sees the new one."""
    shown = json.loads(counterseal(home, "show", "upstream:panel", "--json").stdout)
    assert "OU=nginx" in json.dumps(shown)
    before = (home / "sites" / "panel" / "upstream.fullchain.pem").read_bytes()
    assert counterseal(home, "refresh", "--json").stdout
    assert (home / "sites" / "panel" / "upstream.fullchain.pem").read_bytes() == before
    revoked = counterseal(home, "revoke", "upstream:panel", "--json")
    assert revoked.code == 0, revoked.stderr
    assert (home / "sites" / "panel" / "upstream.fullchain.pem").read_bytes() != before
    assert all(row["result"] == "passed" for row in backend_rows(home))


def _until_failing(home: Path) -> list[dict[str, Any]]:
    """Prove until the reload has been taken; the last look counts."""
    rows: list[dict[str, Any]] = []
    for _ in range(20):
        rows = backend_rows(home)
        if sum(row["result"] == "failed" for row in rows) == len(ROWS) - 2:
            break
    return rows
