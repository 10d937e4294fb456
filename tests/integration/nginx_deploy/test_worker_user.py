"""Whom nginx's workers run as, where the master is root."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from command import counterseal
from counterseal.compose.ground import closed_to_workers
from one_site import SITE
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.nginx,
    pytest.mark.skipif(os.geteuid() != 0, reason="only a master that is root has a choice"),
]


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a directory that others may pass through, which those of pytest do not let them; stop nginx in the end."""
    with TemporaryDirectory(dir="/var/tmp") as name:
        Path(name).chmod(0o711)
        yield Path(name)
        counterseal(Path(name) / "home", "nginx", "stop")


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_strict_umask_does_not_make_workers_root(place: Path, umask: int) -> None:
    """As hardened machines have it; a directory above the home that is closed to others does, and it is said."""
    home, before = place / "home", os.umask(umask)
    try:
        assert counterseal(home, "init", "--no-passphrase").code == 0
        (home / "counterseal.toml").write_text(SITE.format(port=free_port()))
        deployed = counterseal(home, "nginx", "deploy")
        assert (deployed.code, "workers run as root" in deployed.stderr) == (0, False), deployed.stderr
        assert "user root;" not in (home / "nginx" / "current" / "nginx.conf").read_text()
        assert stat.S_IMODE((home / "keys").stat().st_mode) == 0o700
        place.chmod(0o700)
        assert closed_to_workers(home) == place
        again = counterseal(home, "nginx", "deploy", "--json")
        told = f"warning: nginx's workers run as root, because nobody else may pass through {place}\nhint: chmod o+x "
        assert (again.code, told in again.stderr) == (0, True), again.stderr
        assert "user root;" in (home / "nginx" / "current" / "nginx.conf").read_text()
        (home / "counterseal.toml").write_text(f'[nginx]\nuser = "root"\n{SITE.format(port=free_port())}')
        assert "workers run as root" not in counterseal(home, "nginx", "deploy").stderr
    finally:
        os.umask(before)
