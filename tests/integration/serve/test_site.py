"""A site of ours that asks our own responder about every client, chain included, and staples its answer; proved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from command import counterseal
from counterseal.cli.run import run
from integration.serve.test_publication import configuration
from ports import free_port
from prove_bench import nginx_binaries, nginx_version
from service_process import make_ca, running

if TYPE_CHECKING:
    from pathlib import Path

STREAMS_ASK = (1, 29, 7)
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


STREAM = """
[sites.db]
kind = "stream"
server_names = ["db.test"]
listen = ["127.0.0.1:{port}"]
client_cas = ["clients"]
upstream = "127.0.0.1:1"
ocsp = {{ responder = "{responder}" }}
stapling = true
resolver = ["127.0.0.1"]
"""


@pytest.mark.nginx
@pytest.mark.parametrize("binary", nginx_binaries().values(), ids=nginx_binaries())
def test_a_deploy_proves_itself_with_our_responder(binary: Path, tmp_path: Path) -> None:
    """Its clients are issued a moment before, and one is revoked, which no list says here: the responder knows.

    One site is for TLS 1.3 alone and verifies nobody, and where this nginx asks and staples in a stream, one is such.
    """
    home, settings = tmp_path / "home", configuration()
    responder = "http://" + settings.split('http_listen = "')[1].split('"')[0] + "/ocsp"
    kinds = [SITE, OPEN + 'tls = "modern"\n', *([STREAM] if nginx_version(binary) >= STREAMS_ASK else [])]
    sites = "".join(kind.format(port=free_port(), responder=responder) for kind in kinds)
    make_ca(home, f'{settings}\n[nginx]\nbinary = "{binary}"\n{sites}')
    try:
        with running(home, "--name", "127.0.0.1") as service:
            deployed = counterseal(home, "nginx", "deploy", "--json")
            assert deployed.code == 0, deployed.stderr
        proofs = json.loads(deployed.stdout)["proofs"]
        stapled = [row for proof in proofs for row in proof["rows"] if row["kind"] == "stapled-response"]
        assert [(row["result"], row["observed"][:10]) for row in stapled] == [("passed", "good; from")] * len(kinds)
        assert [row["tls"] for row in stapled[:2]] == ["1.2", "1.3"]
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
        assert "  cause: the server staples nothing" in told
        assert "hint: generation 1 is in force, as before" in told
        assert run(["revoke", "alice", "--reason", "certificate_hold", "--home", str(home)]) == 0
        shown = capfd.readouterr()
        assert "warning: site open: stapled OCSP response: expected" in shown.err
        assert "in force and proved: generation 3" in shown.out
        assert run(["unrevoke", "alice", "--json", "--home", str(home)]) == 0
        held = json.loads(capfd.readouterr().out)
        assert (held["generation"], [row["kind"] for row in held["unmet"]]) == (4, ["stapled-response"])
    finally:
        counterseal(home, "nginx", "stop")
