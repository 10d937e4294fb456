"""A site of ours that asks our own responder about every client, chain included, and staples its answer; proved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from command import counterseal
from counterseal.cli.run import run
from integration.serve.test_publication import configuration
from ports import free_port
from service_process import make_ca, running

if TYPE_CHECKING:
    from pathlib import Path

    from command import Ran

SITE = """
[sites.panel]
server_names = ["panel.test"]
listen = ["127.0.0.1:{port}"]
client_certificates = "required"
client_cas = ["clients"]
upstream = "127.0.0.1:1"
revocation = "map"
ocsp = {{ responder = "{responder}", check = "chain" }}
stapling = true
resolver = ["127.0.0.1"]
"""
OPEN = """
[sites.open]
server_names = ["open.test"]
listen = ["127.0.0.1:{port}"]
client_certificates = "none"
upstream = "127.0.0.1:1"
stapling = true
resolver = ["127.0.0.1"]
"""


@pytest.mark.nginx
def test_a_deploy_proves_itself_with_our_responder(tmp_path: Path) -> None:
    """Its clients are issued a moment before, and one is revoked, which no list says here: the responder knows."""
    home, settings = tmp_path / "home", configuration()
    responder = "http://" + settings.split('http_listen = "')[1].split('"')[0] + "/ocsp"
    make_ca(home, settings + SITE.format(port=free_port(), responder=responder))
    try:
        with running(home, "--name", "127.0.0.1") as service:
            deployed = counterseal(home, "nginx", "deploy")
            assert (deployed.code, "in force and proved" in deployed.stdout) == (0, True), deployed.stderr
            assert _stapled(counterseal(home, "prove", "--json")) == "passed"
        asked = [line["status"] for line in service.log if line.get("path", "").startswith("/ocsp/")]
        assert asked
        assert set(asked) == {200}
    finally:
        counterseal(home, "nginx", "stop")


@pytest.mark.nginx
def test_a_responder_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A deploy goes back and says why; a revocation is in force all the same, and says it too."""
    monkeypatch.setattr("counterseal.handshake.staple_watch.PATIENCE", 0.2)  # nobody will ever answer
    home = tmp_path / "home"
    make_ca(home, configuration() + OPEN.format(port=free_port()))
    made = counterseal(home, "client", "alice", "--out", str(tmp_path / "alice"))
    assert made.code == 0, made.stderr
    try:
        with running(home, "--name", "127.0.0.1"):
            deployed = counterseal(home, "nginx", "deploy")
            assert "generation 1 is in force and proved" in deployed.stdout, deployed.stderr
        assert run(["nginx", "deploy", "--home", str(home)]) == 1
        told = capfd.readouterr().err
        assert "stapled OCSP response: expected a response that says good, saw no OCSP response came" in told
        assert "  cause: nginx staples nothing" in told
        assert "hint: generation 1 is in force, as before" in told
        assert run(["revoke", "alice", "--home", str(home)]) == 0
        shown = capfd.readouterr()
        assert "warning: site open: stapled OCSP response: expected" in shown.err
        assert "in force and proved: generation 3" in shown.out
    finally:
        counterseal(home, "nginx", "stop")


def _stapled(ran: Ran) -> str:
    """Return what the proof says of the stapled response."""
    rows = json.loads(ran.stdout)["proofs"][0]["rows"]
    return next(str(row["result"]) for row in rows if row["kind"] == "stapled-response")
