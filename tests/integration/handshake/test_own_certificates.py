"""``counterseal handshake`` with a certificate of this CA, by name or as the PKCS#12 handed out, and a real nginx."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from command import counterseal, write_secret
from listening import listening
from ports import free_port
from programs import run_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.nginx
SITE = """\
[sites.panel]
server_names = ["panel.test"]
listen = ["127.0.0.1:{port}"]
upstream = "127.0.0.1:1"
"""
BY_NAME = ("--name", "alice", "--key", "{out}/alice.key.pem")
BY_PKCS12 = ("--p12", "{out}/alice.p12", "--password-file", "{out}/../password")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """Deploy a site that requires a certificate, and issue one; its upstream is not there."""
    base, port = tmp_path_factory.mktemp("own"), free_port()
    home, password = base / "home", write_secret(base / "password", "correct horse battery\n")
    assert counterseal(home, "init", "--no-passphrase").code == 0
    (home / "counterseal.toml").write_text(SITE.format(port=port))
    issued = counterseal(home, "client", "alice", "--out", str(base / "out"), "--password-file", password)
    assert issued.code == 0, issued.stderr
    deployed = counterseal(home, "nginx", "deploy")
    assert deployed.code == 0, deployed.stderr
    yield base, port
    assert counterseal(home, "nginx", "stop").code == 0


def look(site: tuple[Path, int], *options: str) -> dict[str, Any]:
    """Return what the command says of the site."""
    base, port = site
    given = [option.format(out=base / "out") for option in options]
    ran = counterseal(base / "home", "handshake", f"panel.test:{port}", "--connect", "127.0.0.1", "--json", *given)
    found: dict[str, Any] = json.loads(ran.stdout)["handshake"]
    return found


@pytest.mark.parametrize("options", [BY_NAME, BY_PKCS12], ids=["name", "p12"])
def test_nginx_lets_it_in(site: tuple[Path, int], options: tuple[str, ...]) -> None:
    """It is sent, fits the CAs that nginx names, and the request gets as far as the upstream."""
    found = look(site, *options)
    assert found["diagnosis"] is None
    assert [row["name"] for row in found["ladder"] if row["name"].startswith("HTTP ")] == ["HTTP 502 Bad Gateway"]
    (own,) = found["client_certificates"]["own"]
    assert (own["subject"], own["fits"], own["offered_by_browser"]) == ("CN=alice", True, True)


def test_one_that_was_revoked_does_not_pass(site: tuple[Path, int], tmp_path: Path) -> None:
    """Neither as the CA of this home sees it, before any server says so, nor to ``listen``, which looks each time."""
    base, _ = site
    home, alice = base / "home", base / "out" / "mallory"
    assert counterseal(home, "client", "mallory", "--out", str(base / "out")).code == 0
    options = ("--cert", f"{alice}.fullchain.pem", "--key", f"{alice}.key.pem")
    with listening(tmp_path, "--json", "--count", "2", home=home) as desk:
        command = ("curl", "-sk", *options, f"https://localhost:{desk.port}/")
        assert "nginx would let it in" in run_program(*command, cwd=tmp_path)
        assert counterseal(home, "revoke", "mallory", "--no-deploy").code == 0
        assert "nginx would refuse it" in run_program(*command, cwd=tmp_path)
        _, second = desk.arrivals()
    assert second["diagnosis"]["verify"] == "FAILED:certificate revoked"
    found = look(site, "--name", "mallory", "--key", f"{alice}.key.pem")
    failed = {check["code"] for check in found["client_checks"]["checks"] if check["outcome"] == "fail"}
    assert failed == {"revocation"}


def test_without_one_those_of_the_ca_that_would_do_are_named(site: tuple[Path, int]) -> None:
    """Refused by nginx; what the user could have come with is said."""
    found = look(site)
    assert [row["name"] for row in found["ladder"] if row["name"].startswith("HTTP ")] == ["HTTP 400 Bad Request"]
    assert "sent no certificate" in found["diagnosis"]["cause"]
    assert [own["name"] for own in found["client_certificates"]["own"] if own["fits"]] == ["alice"]
