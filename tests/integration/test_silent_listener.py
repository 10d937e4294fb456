"""Somebody accepts connections and says nothing, at an address that counterseal.toml has and nginx has not taken."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from command import counterseal, here
from one_site import SITE, meets
from ports import free_port

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.nginx
def test_he_is_not_asked_before_a_revocation(tmp_path: Path) -> None:
    """It took five seconds for each version of TLS, in which the revoked client got in."""
    home, port = tmp_path / "home", free_port()
    assert here(home, "init", "--no-passphrase").code == 0
    assert here(home, "client", "ann", "--no-p12", "--out", str(tmp_path / "out")).code == 0
    settings = home / "counterseal.toml"
    settings.write_text(SITE.format(port=port))
    assert counterseal(home, "nginx", "deploy").code == 0
    try:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            more = f'"127.0.0.1:{port}", "127.0.0.1:{silent.getsockname()[1]}"'
            settings.write_text(settings.read_text().replace(f'"127.0.0.1:{port}"', more))
            ran = counterseal(home, "revoke", "ann")
            silent.setblocking(False)
            with pytest.raises(BlockingIOError):
                silent.accept()
        assert (ran.code, "warning: counterseal.toml is refused" in ran.stderr) == (0, True), ran.stderr
        assert meets(home, port, "ann") == 400
    finally:
        assert counterseal(home, "nginx", "stop").code == 0
