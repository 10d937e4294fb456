"""A site of ours that asks our own responder about every client, chain included, and staples its answer; proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from command import counterseal
from integration.serve.test_publication import configuration
from ports import free_port
from service_process import make_ca, running

if TYPE_CHECKING:
    from pathlib import Path

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
        asked = [line["status"] for line in service.log if line.get("path", "").startswith("/ocsp/")]
        assert asked
        assert set(asked) == {200}
    finally:
        counterseal(home, "nginx", "stop")
