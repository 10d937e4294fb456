"""TLS backends from the command line: nginx verifies them and shows its own certificate, renewed and proved."""

from __future__ import annotations

import json
import os
import signal
import time
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


BROKEN = [
    {
        "proxy": ({"proxy_ssl_verify on": "proxy_ssl_verify off"}, ROWS - {"good", "sees-certificate"}),
        "grpc": ({"grpc_ssl_verify_depth 1": "grpc_ssl_verify_depth 0"}, {"good"}),
    },
    {
        "proxy": ({"proxy_ssl_crl": "# proxy_ssl_crl"}, {"revoked"}),
        "grpc": ({"grpc_ssl_server_name on": "grpc_ssl_server_name off"}, {"good", "sees-certificate"}),
    },
    {
        "proxy": ({"upstream-chain": "alone"}, {"good", "sees-certificate"}),
        "grpc": ({"upstream-cas": "chain"}, {"good"}),
    },
]
"""What is replaced in the file of each protocol and by what, and the rows that fail then."""
CAUSES = {"good": "its CA file lacks the root", "sees-certificate": "without its intermediates"}


def test_what_breaks_the_side_of_the_backend_fails_its_rows(home: Path) -> None:
    """All of them pass nginx -t, with both protocols broken differently at a time; each row names the cause."""
    sites = (home / "nginx" / "current").resolve() / "sites"
    first = (sites / "panel.upstream-chain.pem").read_text().split("-----BEGIN")[1]
    (sites / "panel.alone.pem").write_text(f"-----BEGIN{first}")
    files = {protocol: sites / f"panel.{protocol}_ssl.conf" for protocol in ("proxy", "grpc")}
    whole = {protocol: file.read_text() for protocol, file in files.items()}
    for broken in BROKEN:
        for protocol, (edits, _) in broken.items():
            text = whole[protocol]
            for old, new in edits.items():
                assert old in text
                text = text.replace(old, new)
            files[protocol].write_text(text)
        os.kill(int((home / "nginx" / "run" / "nginx.pid").read_text()), signal.SIGHUP)
        expected = {(protocol, kind) for protocol, (_, kinds) in broken.items() for kind in kinds}
        failed = _until_failing(home, expected)
        assert set(failed) == expected
        for (_, kind), cause in failed.items():
            assert CAUSES.get(kind, "does not verify its backend") in cause


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


def _until_failing(home: Path, expected: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Prove until the reload has been taken; return the causes that the last look told, by protocol and row."""
    deadline = time.monotonic() + 60
    while True:
        failed = {
            ("grpc" if row["title"].endswith("by gRPC") else "proxy", row["kind"].removeprefix("backend-")): row[
                "cause"
            ]
            for row in backend_rows(home)
            if row["result"] == "failed"
        }
        if set(failed) == expected or time.monotonic() > deadline:
            return failed
