"""Which kinds of CA keys a browser takes: what is said when a certificate is made, and what Firefox does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from command import counterseal
from firefox import FirefoxError
from ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from firefox import Firefox

pytestmark = [pytest.mark.nginx, pytest.mark.slow]
SITE = """\
[sites.panel]
server_names = ["panel.test"]
listen = ["127.0.0.1:{port}"]
root = "{root}"
client_certificates = "none"
"""


@pytest.mark.parametrize(("key", "takes"), [("p-384", True), ("ed25519", False)])
def test_a_browser_takes_what_is_not_remarked_on(browser: Firefox, tmp_path: Path, key: str, takes: bool) -> None:  # noqa: FBT001 - a row
    """The server's own key is P-256 either way: what counts is the key that signed its certificate."""
    home, port = tmp_path / "home", free_port()
    ran = counterseal(home, "init", "--no-passphrase", "--key", key, "--subject", f"CN=Root {key}")
    assert (ran.code, "takes server certificates of a CA with such a key: Ed25519" in ran.stderr) == (0, not takes)
    made = counterseal(home, "server", "panel.test", "--out", str(home))
    assert ("neither Firefox nor Chromium takes a server certificate signed by such a key" in made.stderr) != takes
    (tmp_path / "index.html").write_text("<!doctype html><title>Panel</title><p>welcome to the panel")
    (home / "counterseal.toml").write_text(SITE.format(port=port, root=tmp_path))
    try:
        assert counterseal(home, "nginx", "deploy").code == 0
        browser.trust(home / "ca.pem")
        if takes:
            browser.open(f"https://panel.test:{port}/")
            assert browser.text() == "welcome to the panel"
        else:
            with pytest.raises(FirefoxError):
                browser.open(f"https://panel.test:{port}/")
    finally:
        counterseal(home, "nginx", "stop")
