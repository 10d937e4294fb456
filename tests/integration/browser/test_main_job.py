"""Firefox and a deployed site: let in with the file that we hand out, told why without it, locked out after revoke."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bundle_fixtures import PASSWORD, client_credential
from command import counterseal, write_secret
from counterseal.bundles.pkcs12 import Strength, encode
from firefox import FirefoxError
from nginx_process import BINARIES
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from firefox import Firefox

pytestmark = [pytest.mark.nginx, pytest.mark.slow]
SITE = """\
[nginx]
binary = "{nginx}"
[sites.panel]
server_names = ["panel.test"]
listen = ["127.0.0.1:{port}"]
root = "{root}"
"""
STRENGTHS = {"debian": (), "wheel": ("--compatible",)}


@dataclass(frozen=True)
class Panel:
    """A CA, the site that it guards, what it handed to its client, and a file of another CA's client."""

    home: Path
    port: int

    @property
    def url(self) -> str:
        """Where colleagues go."""
        return f"https://panel.test:{self.port}/"

    @property
    def alice(self) -> Path:
        """What she was handed."""
        return self.home / "alice.p12"

    @property
    def foreign(self) -> Path:
        """What a client of another CA was handed."""
        return self.home / "foreign.p12"

    def run(self, *arguments: str) -> str:
        """Return what a command says, which must go well."""
        ran = counterseal(self.home, *arguments)
        assert ran.code == 0, ran.stderr
        return ran.stdout

    def offered(self, pkcs12: Path) -> bool:
        """Return what ``handshake`` foretells: whether a browser would offer this at the site."""
        come = ("--connect", "127.0.0.1", "--p12", str(pkcs12), "--password-file", str(self.home / "password"))
        ran = counterseal(self.home, "handshake", f"panel.test:{self.port}", *come, "--json")
        (own,) = json.loads(ran.stdout)["handshake"]["client_certificates"]["own"]
        return own["offered_by_browser"] is True


@pytest.fixture(params=BINARIES)
def panel(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Panel]:
    """Deploy the site with every nginx at hand, each under a CA of its own."""
    nginx = BINARIES[request.param]
    if nginx is None or not nginx.exists():
        pytest.skip(f"no such nginx here: {request.param}")
    made = Panel(tmp_path / "home", free_port())
    made.run("init", "--no-passphrase", "--subject", f"/O={request.param} works/CN=Root CA")
    (tmp_path / "htdocs").mkdir()
    (tmp_path / "htdocs" / "index.html").write_text("<!doctype html><title>Panel</title><p>welcome to the panel")
    site = SITE.format(nginx=nginx, port=made.port, root=tmp_path / "htdocs")
    (made.home / "counterseal.toml").write_text(site)
    password = write_secret(made.home / "password", PASSWORD + "\n")
    packed = (*STRENGTHS[request.param], "--password-file", password, "--out", str(made.home))
    made.run("client", "alice", *packed)
    made.foreign.write_bytes(encode(client_credential(), PASSWORD, strength=Strength.MODERN))
    made.run("nginx", "deploy")
    yield made
    made.run("nginx", "stop")


def test_in_with_the_file_and_out_after_revoke(browser: Firefox, panel: Panel) -> None:
    """The whole way: an unknown root, no certificate that fits, the right one, and its revocation.

    Firefox is never asked to choose: it offers what fits the CAs that nginx names, and nothing else.
    """
    with pytest.raises(FirefoxError, match="insecure certificate"):
        browser.open(panel.url)

    browser.trust(panel.home / "ca.pem")
    browser.import_pkcs12(panel.foreign, PASSWORD)
    browser.open(panel.url)
    assert browser.text().startswith("No certificate was sent")
    assert browser.faults() == []
    assert not panel.offered(panel.foreign)

    browser.import_pkcs12(panel.alice, PASSWORD)
    browser.forget()
    browser.open(panel.url)
    assert browser.text() == "welcome to the panel"
    assert panel.offered(panel.alice)

    panel.run("revoke", "alice")
    browser.open(panel.url)
    assert browser.text().startswith("Certificate revoked")
